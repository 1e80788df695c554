/** Kubernetes objects as plain data, and the folder in which an agent finds them. */

import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { WorldPod } from '../lab/world/places.ts';

export type Family = 'IPv4' | 'IPv6';
export type Protocol = 'TCP' | 'UDP' | 'SCTP';
export type TrafficPolicy = 'Cluster' | 'Local';

export const namespace = 'scenario';

export interface ServiceInput {
  readonly name: string;
  /** At most one of each family. */
  readonly clusterIPs: readonly string[];
  readonly ports: readonly PortInput[];
  readonly externalIPs?: readonly string[];
  readonly loadBalancerIPs?: readonly string[];
  readonly loadBalancerSourceRanges?: readonly string[];
  readonly externalTrafficPolicy?: TrafficPolicy;
  readonly internalTrafficPolicy?: TrafficPolicy;
  readonly healthCheckNodePort?: number;
  /** Session affinity by client address; none unless told. */
  readonly affinityTimeoutSeconds?: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface PortInput {
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
  readonly nodePort?: number;
}

export interface SliceInput {
  readonly service: string;
  readonly family: Family;
  readonly ports: readonly { readonly name: string; readonly protocol: Protocol; readonly port: number }[];
  readonly endpoints: readonly EndpointInput[];
}

export interface EndpointInput {
  readonly address: string;
  readonly nodeName?: string;
  /** The name of the pod, where that matters. */
  readonly pod?: string;
  /** What the API says of a pod: `terminating` still serves, `gone` is not ready and does not serve. */
  readonly condition?: 'ready' | 'terminating' | 'gone';
  /** The zones and nodes whose clients it is meant for. */
  readonly hints?: { readonly zones?: readonly string[]; readonly nodes?: readonly string[] };
}

/** A pod of a world as an endpoint. */
export function endpointAt(
  { node, addresses }: WorldPod,
  family: Family,
  condition: NonNullable<EndpointInput['condition']>,
): EndpointInput {
  return { address: addresses[family][0] ?? '', nodeName: node, condition };
}

export type Manifest = Readonly<Record<string, unknown>>;

/** A Service as the API server would return it, defaults filled in. */
export function service(input: ServiceInput): Manifest {
  const hasNodePort = input.ports.some((port) => port.nodePort !== undefined);
  const loadBalancerIPs = input.loadBalancerIPs ?? [];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(input.name, { annotations: input.annotations ?? {} }),
    spec: {
      type: loadBalancerIPs.length > 0 ? 'LoadBalancer' : hasNodePort ? 'NodePort' : 'ClusterIP',
      clusterIP: input.clusterIPs[0],
      clusterIPs: input.clusterIPs,
      ipFamilies: input.clusterIPs.map(familyOf),
      ports: input.ports.map((port) => ({ ...port, targetPort: port.name })),
      externalIPs: input.externalIPs ?? [],
      loadBalancerSourceRanges: input.loadBalancerSourceRanges ?? [],
      externalTrafficPolicy: input.externalTrafficPolicy ?? 'Cluster',
      internalTrafficPolicy: input.internalTrafficPolicy ?? 'Cluster',
      ...affinity(input.affinityTimeoutSeconds),
      ...(input.healthCheckNodePort === undefined ? {} : { healthCheckNodePort: input.healthCheckNodePort }),
    },
    status: { loadBalancer: { ingress: loadBalancerIPs.map((ip) => ({ ip, ipMode: 'VIP' })) } },
  };
}

function affinity(timeoutSeconds: number | undefined): Manifest {
  return timeoutSeconds === undefined
    ? { sessionAffinity: 'None' }
    : { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds } } };
}

export function endpointSlice(input: SliceInput): Manifest {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: metadata(`${input.service}-${input.family.toLowerCase()}`, {
      labels: { 'kubernetes.io/service-name': input.service },
    }),
    addressType: input.family,
    ports: input.ports,
    endpoints: input.endpoints.map(({ address, nodeName, pod, condition = 'ready', hints }) => ({
      addresses: [address],
      ...(nodeName === undefined ? {} : { nodeName }),
      ...(pod === undefined ? {} : { targetRef: { kind: 'Pod', namespace, name: pod } }),
      ...(hints === undefined ? {} : { hints: { forZones: named(hints.zones), forNodes: named(hints.nodes) } }),
      conditions: {
        ready: condition === 'ready',
        serving: condition !== 'gone',
        terminating: condition === 'terminating',
      },
    })),
  };
}

function named(names: readonly string[] | undefined): readonly Manifest[] | undefined {
  return names?.map((name) => ({ name }));
}

export function nodeObject(name: string, addresses: readonly string[], zone?: string): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, ...(zone === undefined ? {} : { labels: { 'topology.kubernetes.io/zone': zone } }) },
    status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
  };
}

export function familyOf(address: string): Family {
  return isIPv6(address) ? 'IPv6' : 'IPv4';
}

/** A folder of manifests, written as an editor writes: each file is replaced in one step. */
export interface ManifestFolder {
  readonly path: string;
  readonly write: (file: string, objects: readonly unknown[]) => Promise<void>;
  readonly writeText: (file: string, text: string) => Promise<void>;
  readonly remove: (file: string) => Promise<void>;
}

export async function makeManifestFolder(path: string): Promise<ManifestFolder> {
  await mkdir(path, { recursive: true });
  const writeText = async (file: string, text: string): Promise<void> => {
    const draft = join(path, `.${file}.draft`);
    await writeFile(draft, text);
    await rename(draft, join(path, file));
  };
  return {
    path,
    writeText,
    write: (file, objects) =>
      writeText(file, `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })}\n`),
    remove: (file) => rm(join(path, file)),
  };
}

function metadata(name: string, rest: Manifest): Manifest {
  return { name, namespace, creationTimestamp: '2026-01-01T00:00:00Z', ...rest };
}
