/**
 * Node → NodeFact: ours, and the others because no VIP may have their addresses. Thousands of them report their state
 * all the time; what they report beyond these fields is not kept.
 */

import { familyOf } from '../../core/address.ts';
import { families, type NodeFact } from '../../core/model/facts.ts';
import type { Refusal } from '../../core/model/reason.ts';
import { canonicalAddress, forbiddenRange } from './addresses.ts';
import { readCIDRs } from './cidrs.ts';
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
      const refusals: Refusal[] = [];
      const fact = readNode(settings.intern(key), requireObject(raw, 'object'), refusals);
      return { result: 'fact', key, object: { kind: 'Node', fact }, refusals };
    },
  );
}

function readNode(name: string, object: JsonObject, refusals: Refusal[]): NodeFact {
  const metadata = readObject(object['metadata'], 'metadata');
  const labels = readObject(metadata['labels'], 'metadata.labels');
  const spec = readObject(object['spec'], 'spec');
  const status = readObject(object['status'], 'status');
  const allAddresses = readAddresses(status, refusals);
  return {
    name,
    zone: readString(labels[zoneLabel], `metadata.labels[${zoneLabel}]`) ?? '',
    addresses: firstOfEachFamily(allAddresses),
    allAddresses,
    podCIDRs: readPodCIDRs(spec, refusals),
    eligible: readString(metadata['deletionTimestamp'], 'metadata.deletionTimestamp') === undefined && !isLeaving(spec),
  };
}

/** Every InternalIP, then every ExternalIP, each once. Host names and others do not count. */
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
  return [...new Set([...byType.InternalIP, ...byType.ExternalIP])];
}

/** The first address decides which family comes first; then the first of the other family. */
function firstOfEachFamily(all: readonly string[]): readonly string[] {
  const firsts = families.map((family) => all.find((address) => familyOf(address) === family));
  const first = all[0];
  return [...new Set([first, ...firsts])].filter((address) => address !== undefined);
}

/** `podCIDRs`, or the older `podCIDR`. */
function readPodCIDRs(spec: JsonObject, refusals: Refusal[]): readonly string[] {
  const list = readList(spec['podCIDRs'], 'spec.podCIDRs');
  const single = readString(spec['podCIDR'], 'spec.podCIDR') ?? '';
  const entries = list.length > 0 || single === '' ? list : [single];
  return readCIDRs(entries, 'spec.podCIDRs', refusals);
}

function isLeaving(spec: JsonObject): boolean {
  return readList(spec['taints'], 'spec.taints').some(
    (taint, index) => requireObject(taint, `spec.taints[${index}]`)['key'] === leavingTaint,
  );
}
