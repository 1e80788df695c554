/** Service → ServiceFact, read as kube-proxy 1.36 reads it. */

import { exactList } from '../../core/exact-list.ts';
import type { ServiceFact, ServicePortFact, TrafficPolicy } from '../../core/model/facts.ts';
import type { Refusal } from '../../core/model/reason.ts';
import { excerpt, type JsonObject, MalformedError, readList, readObject, readString, requireObject } from './json.ts';
import { headlessLabel, keyOfNamespaced, type Metadata, readMetadata } from './metadata.ts';
import { isPortNumber, portRefusal, readProtocol } from './ports.ts';
import { type Projection, type ProjectionSettings, projectSafely } from './projection.ts';
import { readServiceAddresses } from './service-addresses.ts';
import { readAffinityTimeout, readAnnotations } from './service-settings.ts';
import { readSourceRanges } from './source-ranges.ts';

export const proxyNameLabel = 'service.kubernetes.io/service-proxy-name';

/** Never throws, whatever `raw` is. */
export function projectService(raw: unknown, settings: ProjectionSettings): Projection {
  return projectSafely(
    () => keyOfNamespaced(raw),
    () => {
      const object = requireObject(raw, 'object');
      const metadata = readMetadata(object, settings.intern);
      const spec = requireObject(object['spec'], 'spec');
      if (!concernsUs(metadata, spec, settings)) {
        return { result: 'unconcerned', key: metadata.key };
      }
      const refusals: Refusal[] = [];
      // Its EndpointSlices name it, too; they themselves, and its own name, are named once.
      const key = settings.intern(metadata.key);
      const fact = readService({ ...metadata, key }, spec, object['status'], refusals);
      return { result: 'fact', key, object: { kind: 'Service', fact }, refusals };
    },
  );
}

function concernsUs(metadata: Metadata, spec: JsonObject, settings: ProjectionSettings): boolean {
  const proxyName = metadata.labels[proxyNameLabel];
  const isOurs =
    proxyName === undefined || (typeof proxyName === 'string' && settings.ownProxyNames.includes(proxyName));
  const clusterIP = readString(spec['clusterIP'], 'spec.clusterIP') ?? '';
  const isHeadless = clusterIP === '' || clusterIP === 'None' || metadata.labels[headlessLabel] !== undefined;
  return isOurs && !isHeadless && spec['type'] !== 'ExternalName';
}

function readService(metadata: Metadata, spec: JsonObject, status: unknown, refusals: Refusal[]): ServiceFact {
  const type = readType(spec['type']);
  const externalTrafficPolicy = readPolicy(spec, 'externalTrafficPolicy', refusals);
  const loadBalancer = readObject(readObject(status, 'status')['loadBalancer'], 'status.loadBalancer');
  // Not spread into the fact, for which V8 would keep the rest of it in an object of its own.
  const { clusterIPs, externalIPs, loadBalancerIPs } = readServiceAddresses(spec, loadBalancer, refusals);
  return {
    key: metadata.key,
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    createdAt: metadata.createdAt,
    type,
    clusterIPs,
    externalIPs,
    loadBalancerIPs,
    loadBalancerSourceRanges: readSourceRanges(spec['loadBalancerSourceRanges'], refusals),
    ports: readPorts(spec['ports'], refusals),
    externalTrafficPolicy,
    internalTrafficPolicy: readPolicy(spec, 'internalTrafficPolicy', refusals),
    affinityTimeoutSeconds: readAffinityTimeout(spec, refusals),
    healthCheckNodePort:
      type === 'LoadBalancer' && externalTrafficPolicy === 'Local'
        ? readOptionalPort(spec['healthCheckNodePort'], 'spec.healthCheckNodePort', refusals)
        : 0,
    annotations: readAnnotations(metadata.annotations, refusals),
  };
}

function readType(value: unknown): ServiceFact['type'] {
  const type = readString(value, 'spec.type') ?? 'ClusterIP';
  if (type === 'ClusterIP' || type === 'NodePort' || type === 'LoadBalancer') {
    return type;
  }
  throw new MalformedError('spec.type', type, 'ClusterIP, NodePort, LoadBalancer or ExternalName');
}

/** Absent means Cluster. */
function readPolicy(
  spec: JsonObject,
  field: 'externalTrafficPolicy' | 'internalTrafficPolicy',
  refusals: Refusal[],
): TrafficPolicy {
  const text = readString(spec[field], `spec.${field}`) ?? 'Cluster';
  if (text === 'Local' || text === 'Cluster' || text === '') {
    return text === 'Local' ? 'Local' : 'Cluster';
  }
  refusals.push({
    reason: 'object-malformed',
    subject: `spec.${field}`,
    found: excerpt(text),
    expected: 'Cluster or Local; taken as Cluster',
  });
  return 'Cluster';
}

function readPorts(value: unknown, refusals: Refusal[]): readonly ServicePortFact[] {
  const ports: ServicePortFact[] = [];
  for (const [index, entry] of readList(value, 'spec.ports').entries()) {
    const subject = `spec.ports[${index}]`;
    const port = requireObject(entry, subject);
    const protocol = readProtocol(port['protocol'], `${subject}.protocol`, refusals);
    if (!isPortNumber(port['port'])) {
      refusals.push(portRefusal(`${subject}.port`, port['port']));
    } else if (protocol !== undefined) {
      ports.push({
        name: readString(port['name'], `${subject}.name`) ?? '',
        protocol,
        port: port['port'],
        nodePort: readOptionalPort(port['nodePort'], `${subject}.nodePort`, refusals),
      });
    }
  }
  return exactList(ports);
}

/** 0 when absent, and when refused. */
function readOptionalPort(value: unknown, subject: string, refusals: Refusal[]): number {
  if (value === undefined || value === null || value === 0) {
    return 0;
  }
  if (isPortNumber(value)) {
    return value;
  }
  refusals.push(portRefusal(subject, value));
  return 0;
}
