/**
 * At which of its externalIPs and load-balancer IPs a Service may be reached. Whoever may write them could else take
 * over the traffic of a Node, of the API server, of another Service or of a pod (CVE-2020-8554), and an address that
 * every node takes for its own would cut off the Node that has it (kubernetes/kubernetes#127410).
 *
 * - An address of another Node, of the API server, inside a service range or a pod range, or a broadcast address is
 *   always refused.
 * - An externalIP that is this node's own address is refused too: any tenant may write externalIPs.
 *   The exception is an address that no Node object has (one that moves between nodes, say) and that an allow-list names.
 * - A load-balancer IP that is this node's own address stands: the controllers that write it forward a port of the node
 *   (ServiceLB of K3s). It is not bound, so nothing else at the address changes, and other nodes refuse it.
 * - Whatever else lies in no allowed range is refused when strict, and reported otherwise.
 */

import { type CIDR, cidrContains, formatCIDR } from './address.ts';
import type { AddressIndex } from './address-index.ts';
import type { AddressRules, CompileContext } from './model/context.ts';
import type { ServiceFact } from './model/facts.ts';
import type { Reason, Refusal } from './model/reason.ts';
import { rangeAround } from './range-set.ts';

export interface AdmissionInput {
  readonly service: Pick<ServiceFact, 'externalIPs' | 'loadBalancerIPs'>;
  readonly context: CompileContext;
  readonly addresses: AddressIndex;
}

export interface Admission {
  /** Those that may be programmed, each once. */
  readonly addresses: readonly string[];
  readonly refusals: readonly Refusal[];
}

export function admitAddresses(input: AdmissionInput): Admission {
  const { service } = input;
  if (service.externalIPs.length === 0 && service.loadBalancerIPs.length === 0) {
    return nothing;
  }
  const candidates = [
    ...service.externalIPs.map((address): Candidate => ({ address, kind: 'externalIP' })),
    ...service.loadBalancerIPs.map((address): Candidate => ({ address, kind: 'loadBalancerIP' })),
  ];
  const admitted = new Set<string>();
  const refusals: Refusal[] = [];
  for (const candidate of candidates) {
    const verdict = judge(candidate, input);
    if (verdict !== undefined) {
      refusals.push({ ...verdict, subject: subjects[candidate.kind], found: candidate.address });
    }
    if (verdict === undefined || verdict.reason === 'address-not-in-allowed-range-audited') {
      admitted.add(candidate.address);
    }
  }
  return { addresses: [...admitted], refusals };
}

const nothing: Admission = { addresses: [], refusals: [] };

/** Why a Service may not have this port of an address that it may have otherwise; undefined when it may. */
export function refusePort(
  place: { readonly address: string; readonly port: number },
  { context, addresses }: Pick<AdmissionInput, 'context' | 'addresses'>,
): Refusal | undefined {
  const { address, port } = place;
  const isAPIServer = [addresses.apiServers, context.addressRules.apiServers].some(
    (servers) => servers.get(address)?.has(port) === true,
  );
  return isAPIServer
    ? {
        reason: 'address-of-the-api-server',
        subject: subjects.loadBalancerIP,
        found: `${address} port ${port}`,
        expected: 'a port at which no API server listens',
      }
    : undefined;
}

/** Why a Service may not have its ClusterIP: the ranges of Services and Nodes overlap, or another load balancer's is it. */
export function refuseClusterIP(
  address: string,
  { context, addresses }: Pick<AdmissionInput, 'context' | 'addresses'>,
): Refusal | undefined {
  const isOwn = context.nodeAddresses.has(address);
  const verdict =
    refuseExcluded(address, context.addressRules) ?? (isOwn ? undefined : refuseOtherNode(address, addresses));
  return verdict === undefined ? undefined : { ...verdict, subject: 'spec.clusterIPs', found: address };
}

interface Candidate {
  readonly address: string;
  readonly kind: 'externalIP' | 'loadBalancerIP';
}

interface Verdict {
  readonly reason: Reason;
  readonly expected: string;
}

const subjects: Readonly<Record<Candidate['kind'], string>> = {
  externalIP: 'spec.externalIPs',
  loadBalancerIP: 'status.loadBalancer.ingress',
};

function refuseExcluded(address: string, rules: AddressRules): Verdict | undefined {
  const range = around(rules.excludedCIDRs, address);
  return range === undefined ? undefined : { reason: 'address-excluded', expected: `no address in ${range}` };
}

function refuseOtherNode(address: string, { nodes }: AddressIndex): Verdict | undefined {
  const [name] = nodes.get(address) ?? [];
  const expected = `no address of another Node; Node ${name} has it`;
  return name === undefined ? undefined : { reason: 'address-of-another-node', expected };
}

function judge(candidate: Candidate, input: AdmissionInput): Verdict | undefined {
  const { address, kind } = candidate;
  const { context } = input;
  const excluded = refuseExcluded(address, context.addressRules);
  if (excluded !== undefined) {
    return excluded;
  }
  const isOwn = context.nodeAddresses.has(address);
  return isOwn && kind === 'loadBalancerIP'
    ? refuseUnlisted(candidate, context.addressRules)
    : (refuseNode(candidate, input) ?? refuseTaken(address, input) ?? refuseUnlisted(candidate, context.addressRules));
}

function refuseNode({ address, kind }: Candidate, { context, addresses }: AdmissionInput): Verdict | undefined {
  const [name] = addresses.nodes.get(address) ?? [];
  if (name !== undefined) {
    return kind === 'externalIP'
      ? { reason: 'address-of-a-node', expected: `no address of a Node; Node ${name} has it` }
      : {
          reason: 'address-of-another-node',
          expected: `no address of another Node; Node ${name} has it and serves it`,
        };
  }
  const { sources, addressRules } = context;
  const isMain = sources.IPv4 === address || sources.IPv6 === address;
  const isListed = around(addressRules.externalIPRanges, address) !== undefined;
  return context.nodeAddresses.has(address) && (isMain || !isListed)
    ? { reason: 'address-of-a-node', expected: `no address of a Node; an interface of ${context.node.name} has it` }
    : undefined;
}

function refuseTaken(address: string, { context, addresses }: AdmissionInput): Verdict | undefined {
  const { addressRules, serviceCIDRs, broadcastAddresses } = context;
  if (addresses.apiServers.has(address) || addressRules.apiServers.has(address)) {
    return { reason: 'address-of-the-api-server', expected: 'no address of the API server' };
  }
  const services = around(serviceCIDRs, address);
  if (services !== undefined) {
    return { reason: 'address-in-service-range', expected: `no address in the service range ${services}` };
  }
  const nodePods = rangeAround(addresses.podRanges, address);
  const pods = around(addressRules.podCIDRs, address) ?? (nodePods === undefined ? undefined : formatCIDR(nodePods));
  if (pods !== undefined) {
    return { reason: 'address-in-pod-range', expected: `no address in the pod range ${pods}` };
  }
  return broadcastAddresses.has(address)
    ? { reason: 'address-forbidden', expected: 'no broadcast address of a network of this node' }
    : undefined;
}

/**
 * Without any range nothing is allowed when strict, as in kube-router. When not strict, load-balancer IPs are not
 * reported then: only controllers write them, and a report on each would be noise on every cluster.
 */
function refuseUnlisted({ address, kind }: Candidate, rules: AddressRules): Verdict | undefined {
  const ranges = kind === 'externalIP' ? rules.externalIPRanges : rules.loadBalancerIPRanges;
  if (around(ranges, address) !== undefined || (!rules.isStrict && kind === 'loadBalancerIP' && ranges.length === 0)) {
    return undefined;
  }
  const list = ranges.length === 0 ? 'none is given' : ranges.map(formatCIDR).join(', ');
  const expected = `an address in ${flags[kind]} (${list})`;
  return rules.isStrict
    ? { reason: 'address-not-in-allowed-range', expected }
    : { reason: 'address-not-in-allowed-range-audited', expected: `${expected}; programmed all the same` };
}

const flags: Readonly<Record<Candidate['kind'], string>> = {
  externalIP: '--service-external-ip-range',
  loadBalancerIP: '--loadbalancer-ip-range',
};

function around(ranges: readonly CIDR[], address: string): string | undefined {
  const range = ranges.find((each) => cidrContains(each, address));
  return range === undefined ? undefined : formatCIDR(range);
}
