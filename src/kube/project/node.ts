/** Node → NodeFact. Only our own. */

import { familyOf, formatCIDR, parseCIDR } from '../../core/address.ts';
import { families, type NodeFact } from '../../core/model/facts.ts';
import type { Refusal } from '../../core/model/reason.ts';
import { canonicalAddress, forbiddenRange } from './addresses.ts';
import { excerpt, type JsonObject, readList, readObject, readString, requireName, requireObject } from './json.ts';
import { type Projection, type ProjectionSettings, projectSafely } from './projection.ts';

const zoneLabel = 'topology.kubernetes.io/zone';
/** Set by the cluster autoscaler before it drains the node; load balancers are told to send no more. */
const leavingTaint = 'ToBeDeletedByClusterAutoscaler';

/** Never throws, whatever `raw` is. */
export function projectNode(raw: unknown, settings: ProjectionSettings): Projection {
  return projectSafely(
    () => requireName(requireObject(requireObject(raw, 'object')['metadata'], 'metadata')['name'], 'metadata.name'),
    (key) => {
      if (key !== settings.nodeName) {
        return { result: 'unconcerned', key };
      }
      const refusals: Refusal[] = [];
      const fact = readNode(key, requireObject(raw, 'object'), refusals);
      return { result: 'fact', key, object: { kind: 'Node', fact }, refusals };
    },
  );
}

function readNode(name: string, object: JsonObject, refusals: Refusal[]): NodeFact {
  const metadata = readObject(object['metadata'], 'metadata');
  const labels = readObject(metadata['labels'], 'metadata.labels');
  const spec = readObject(object['spec'], 'spec');
  const status = readObject(object['status'], 'status');
  return {
    name,
    zone: readString(labels[zoneLabel], `metadata.labels[${zoneLabel}]`) ?? '',
    addresses: readAddresses(status, refusals),
    podCIDRs: readPodCIDRs(spec, refusals),
    eligible: readString(metadata['deletionTimestamp'], 'metadata.deletionTimestamp') === undefined && !isLeaving(spec),
  };
}

/**
 * The first InternalIP decides which family comes first, else the first ExternalIP; then the first address of the
 * other family, again InternalIP before ExternalIP. Host names and others do not count.
 */
function readAddresses(status: JsonObject, refusals: Refusal[]): readonly string[] {
  const byType: Record<'InternalIP' | 'ExternalIP', string[]> = { InternalIP: [], ExternalIP: [] };
  for (const [index, entry] of readList(status['addresses'], 'status.addresses').entries()) {
    const subject = `status.addresses[${index}]`;
    const { type, address: text } = requireObject(entry, subject);
    if (type === 'InternalIP' || type === 'ExternalIP') {
      const address = canonicalAddress(readString(text, `${subject}.address`) ?? '');
      if (address === undefined) {
        refusals.push({ reason: 'address-invalid', subject, found: excerpt(text), expected: 'an IP address' });
      } else if (forbiddenRange(address) === undefined) {
        byType[type].push(address);
      }
    }
  }
  const all = [...byType.InternalIP, ...byType.ExternalIP];
  const firsts = families.map((family) => all.find((address) => familyOf(address) === family));
  const preferred = all[0];
  return [...new Set([preferred, ...firsts])].filter((address) => address !== undefined);
}

/** `podCIDRs`, or the older `podCIDR`. */
function readPodCIDRs(spec: JsonObject, refusals: Refusal[]): readonly string[] {
  const list = readList(spec['podCIDRs'], 'spec.podCIDRs');
  const single = readString(spec['podCIDR'], 'spec.podCIDR') ?? '';
  const entries = list.length > 0 || single === '' ? list : [single];
  return entries.flatMap((entry, index) => {
    const subject = `spec.podCIDRs[${index}]`;
    const text = readString(entry, subject) ?? '';
    const range = parseCIDR(text);
    if (range === undefined) {
      refusals.push({ reason: 'address-invalid', subject, found: excerpt(text), expected: 'a CIDR' });
      return [];
    }
    return [formatCIDR(range)];
  });
}

function isLeaving(spec: JsonObject): boolean {
  return readList(spec['taints'], 'spec.taints').some(
    (taint, index) => requireObject(taint, `spec.taints[${index}]`)['key'] === leavingTaint,
  );
}
