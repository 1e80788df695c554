import { copyFile, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { V1EndpointSlice, V1Service } from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';
import type { Target } from '../lab/traffic/result.ts';
import type { Family } from '../lab/world/places.ts';
import { familyOf } from './place.ts';

/** What the manifests say, as an operator who wrote them knows it. */
export interface Manifests {
  readonly services: readonly ServiceManifest[];
  /** The name of the pod that has this address. */
  readonly podOf: (address: string) => string | undefined;
}

/** A Service with one port. */
export interface ServiceManifest {
  /** `namespace/name`. */
  readonly name: string;
  readonly protocol: Target['protocol'];
  readonly frontends: readonly FrontendManifest[];
}

export const frontendKinds = ['ClusterIP', 'NodePort', 'external IP', 'load balancer'] as const;
export type FrontendKind = (typeof frontendKinds)[number];

export interface FrontendManifest extends Target {
  readonly kind: FrontendKind;
  readonly family: Family;
}

/** Copies the manifests to a folder of their own, where they can be edited. */
export async function copyManifests(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  const files = await readdir(from);
  await Promise.all(files.map((file) => copyFile(join(from, file), join(to, file))));
}

/** Reads a folder of manifests. `nodeAddresses` are those that node ports are asked on. */
export async function readManifests(folder: string, nodeAddresses: readonly string[]): Promise<Manifests> {
  const objects: KubernetesObject[] = [];
  for (const file of (await readdir(folder)).sort()) {
    objects.push(...parseObjects(await readFile(join(folder, file), 'utf8')));
  }
  const pods = new Map<string, string>();
  for (const slice of objects.filter(isEndpointSlice)) {
    for (const { addresses, targetRef } of slice.endpoints) {
      for (const address of addresses) pods.set(address, targetRef?.name ?? address);
    }
  }
  const services = objects.filter(isService).map((service) => describeService(service, nodeAddresses));
  return { services, podOf: (address) => pods.get(address) };
}

/**
 * Takes the endpoints of a pod out of a file of manifests, as an editor would; the returned function brings them back.
 * The file is replaced in one step, so that nobody reads half of it.
 */
export async function removeEndpoints(file: string, pod: string): Promise<() => Promise<void>> {
  const before = await readFile(file, 'utf8');
  const endpoint = new RegExp(
    String.raw`^  - addresses:.*\n(?:    .*\n)*?    targetRef:.*\bname: ${pod} .*\n(?:    .*\n)*`,
    'gm',
  );
  const after = before.replaceAll(endpoint, '');
  if (after === before) {
    throw new Error(`expected endpoints of ${pod} in ${file}, found none`);
  }
  await replaceFile(file, after);
  return () => replaceFile(file, before);
}

type KubernetesObject = V1Service | V1EndpointSlice | { readonly kind?: string };

function parseObjects(text: string): readonly KubernetesObject[] {
  // The demo's own files: the agent checks them, and a test parses them.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject);
}

function isEndpointSlice(object: KubernetesObject): object is V1EndpointSlice {
  return object.kind === 'EndpointSlice';
}

function isService(object: KubernetesObject): object is V1Service {
  return object.kind === 'Service';
}

function describeService(service: V1Service, nodeAddresses: readonly string[]): ServiceManifest {
  const { clusterIPs = [], externalIPs = [], ports = [] } = service.spec ?? {};
  const [port] = ports;
  if (port === undefined) {
    throw new Error(`expected a port in Service ${service.metadata?.name ?? ''}`);
  }
  const protocol = port.protocol === 'UDP' ? 'UDP' : 'TCP';
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  const of = (kind: FrontendKind, addresses: readonly string[], number: number): readonly FrontendManifest[] =>
    addresses.map((address) => ({ kind, protocol, address, port: number, family: familyOf(address) }));
  return {
    name: `${service.metadata?.namespace ?? 'default'}/${service.metadata?.name ?? ''}`,
    protocol,
    frontends: [
      ...of('ClusterIP', clusterIPs, port.port),
      ...of('NodePort', port.nodePort === undefined ? [] : nodeAddresses, port.nodePort ?? 0),
      ...of('external IP', externalIPs, port.port),
      ...of(
        'load balancer',
        ingress.map(({ ip }) => ip ?? ''),
        port.port,
      ),
    ],
  };
}

async function replaceFile(file: string, text: string): Promise<void> {
  const draft = `${file}.new`;
  await writeFile(draft, text);
  await rename(draft, file);
}
