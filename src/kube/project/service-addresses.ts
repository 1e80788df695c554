/** The addresses at which a Service is reached. */

import { familyOf } from '../../core/address.ts';
import { exactList } from '../../core/exact-list.ts';
import { type Family, families } from '../../core/model/facts.ts';
import type { Refusal } from '../../core/model/reason.ts';
import { canonicalAddress, forbiddenRange } from './addresses.ts';
import { excerpt, type JsonObject, MalformedError, readList, readName, readString, requireObject } from './json.ts';

export interface ServiceAddresses {
  readonly clusterIPs: readonly string[];
  readonly externalIPs: readonly string[];
  readonly loadBalancerIPs: readonly string[];
}

/** `loadBalancer` is `status.loadBalancer`. Throws MalformedError. */
export function readServiceAddresses(
  spec: JsonObject,
  loadBalancer: JsonObject,
  refusals: Refusal[],
): ServiceAddresses {
  const clusterIPs = readClusterIPs(spec, refusals);
  // A family without a ClusterIP is a family the Service does not have, whatever other addresses it names.
  const ownFamilies = new Set(clusterIPs.map(familyOf));
  const external = readList(spec['externalIPs'], 'spec.externalIPs').map((value, index): Candidate => {
    const subject = `spec.externalIPs[${index}]`;
    return { subject, text: readString(value, subject) ?? '' };
  });
  return {
    clusterIPs,
    externalIPs: acceptAll(external, ownFamilies, refusals),
    loadBalancerIPs: acceptAll(readIngress(loadBalancer), ownFamilies, refusals),
  };
}

interface Candidate {
  readonly subject: string;
  readonly text: string;
}

/** With `ipFamilies`, `clusterIPs[i]` is the address of `ipFamilies[i]`; without, `clusterIP` alone counts. */
function readClusterIPs(spec: JsonObject, refusals: Refusal[]): readonly string[] {
  const ipFamilies = readList(spec['ipFamilies'], 'spec.ipFamilies');
  if (ipFamilies.length === 0) {
    const text = readString(spec['clusterIP'], 'spec.clusterIP') ?? '';
    return acceptAll([{ subject: 'spec.clusterIP', text }], new Set(families), refusals);
  }
  const texts = readList(spec['clusterIPs'], 'spec.clusterIPs');
  const accepted: string[] = [];
  for (const [index, value] of ipFamilies.entries()) {
    const family = readFamily(value, `spec.ipFamilies[${index}]`);
    const subject = `spec.clusterIPs[${index}]`;
    const text = readName(texts[index], subject);
    if (text !== undefined && !accepted.some((address) => familyOf(address) === family)) {
      accepted.push(...acceptAll([{ subject, text }], new Set([family]), refusals));
    }
  }
  return exactList(accepted);
}

function readFamily(value: unknown, subject: string): Family {
  if (value === 'IPv4' || value === 'IPv6') {
    return value;
  }
  throw new MalformedError(subject, value, 'IPv4 or IPv6');
}

/** Host names are no VIPs; with ipMode Proxy the load balancer wants the traffic itself (KEP-1860). */
function readIngress(loadBalancer: JsonObject): readonly Candidate[] {
  const candidates: Candidate[] = [];
  for (const [index, entry] of readList(loadBalancer['ingress'], 'status.loadBalancer.ingress').entries()) {
    const subject = `status.loadBalancer.ingress[${index}]`;
    const ingress = requireObject(entry, subject);
    const text = readName(ingress['ip'], `${subject}.ip`);
    const mode = readString(ingress['ipMode'], `${subject}.ipMode`) ?? 'VIP';
    if (text !== undefined && mode === 'VIP') {
      candidates.push({ subject: `${subject}.ip`, text });
    }
  }
  return candidates;
}

function acceptAll(
  candidates: readonly Candidate[],
  allowed: ReadonlySet<Family>,
  refusals: Refusal[],
): readonly string[] {
  if (candidates.length === 0) {
    return none;
  }
  const accepted = new Set<string>();
  for (const { subject, text } of candidates) {
    const address = canonicalAddress(text);
    const range = address === undefined ? undefined : forbiddenRange(address);
    if (address === undefined) {
      refusals.push({ reason: 'address-invalid', subject, found: excerpt(text), expected: 'an IPv4 or IPv6 address' });
    } else if (!allowed.has(familyOf(address))) {
      const expected = `a family the Service has a ClusterIP of (${[...allowed].join(', ')})`;
      refusals.push({ reason: 'address-wrong-family', subject, found: excerpt(text), expected });
    } else if (range !== undefined) {
      refusals.push({ reason: 'address-forbidden', subject, found: excerpt(text), expected: `no ${range} address` });
    } else {
      accepted.add(address);
    }
  }
  return [...accepted];
}

/** Nearly every Service has no external address: they share that. */
const none: readonly string[] = [];
