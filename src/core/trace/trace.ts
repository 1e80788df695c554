/**
 * Follows the first packet of a connection through what is programmed on a node: sluice's nftables chains and the
 * virtual servers of IPVS, in the order in which the kernel calls them (src/kernel/nft/chains.ts says where they stand).
 *
 * It reads the resources themselves, not the Services that they were made from: what is wrong there shows here. The
 * packet carries no mark of others, and its sender is who its source says.
 */

import { familyOf } from '../address.ts';
import { destinationKey, filterElementKey, frontendKey, virtualServerKey } from '../keys.ts';
import { type FrontendSet, isViewElement } from '../model/filter-element.ts';
import { type Destination, virtualServerFlags } from '../model/virtual-server.ts';
import { rangesMeet } from '../ranges.ts';
import type { Packet, TraceNode } from './packet.ts';
import type { SourceKind, SourceSeen, Trace, TracedDestination, TraceStep, Verdict } from './result.ts';
import { type Rule, rules } from './rules.ts';
import type { ProgrammedServer, TraceState } from './state.ts';

/** What happens to the packet on this node. Addresses of the packet must be canonical. */
export function trace(packet: Packet, state: TraceState, node: TraceNode): Trace {
  const steps: TraceStep[] = [];
  const sender = senderOf(packet, state, node);
  steps.push({ step: 'source', ...sender });
  const way: Way = { packet, state, node, sender, steps, mark: 0, view: 'inside' };
  const verdict = follow(way);
  return { packet, steps, verdict };
}

interface Sender {
  readonly kind: SourceKind;
  readonly address: string | undefined;
  readonly why: string;
}

/** The packet on its way. */
interface Way {
  readonly packet: Packet;
  readonly state: TraceState;
  readonly node: TraceNode;
  readonly sender: Sender;
  readonly steps: TraceStep[];
  mark: number;
  /** Which view the mark is of, where it is one's. */
  view: 'inside' | 'direct';
}

function senderOf({ source, destination }: Packet, state: TraceState, node: TraceNode): Sender {
  const kind = 'process-on-this-node';
  if (source === undefined) {
    return sourceOfNode(destination, state, node);
  }
  if (node.addresses.has(source)) {
    return { kind, address: source, why: 'an address of this node' };
  }
  if (state.vip(source) !== undefined) {
    return { kind, address: source, why: 'a VIP, which this node holds as its own' };
  }
  return { address: source, ...podOrNot(source, state, node) };
}

function podOrNot(source: string, state: TraceState, node: TraceNode): Omit<Sender, 'address'> {
  const { podInterface } = node;
  if (podInterface !== undefined) {
    const arriving = node.interfaceTowards(source);
    const isPod = arriving !== undefined && isNamed(arriving, podInterface);
    return { kind: isPod ? 'pod' : 'other-host', why: `it comes by the interface ${arriving ?? 'that is not known'}` };
  }
  const range = state.podSources.find((each) => rangesMeet(each, `${source}-${source}`));
  if (range !== undefined) {
    return { kind: 'pod', why: `in the range of pods ${range}` };
  }
  const isDetected = state.podSources.some((each) => familyOf(each) === familyOf(source));
  return { kind: 'other-host', why: isDetected ? 'neither a pod nor this node' : 'pods cannot be told from others' };
}

function isNamed(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** The source that the routes choose: a VIP's own says it, a local address is its own source. */
function sourceOfNode(destination: string, state: TraceState, node: TraceNode): Sender {
  const kind = 'process-on-this-node';
  const vip = state.vip(destination);
  if (vip !== undefined) {
    return { kind, address: vip.source, why: 'the source in the route of the VIP' };
  }
  if (node.addresses.has(destination)) {
    return { kind, address: destination, why: 'a node that calls itself has the address it calls' };
  }
  return { kind, address: node.sourceTowards(destination), why: 'the source in the route to there' };
}

function follow(way: Way): Verdict {
  const { packet, state, node, sender, steps } = way;
  const isVip = state.vip(packet.destination) !== undefined;
  const isLocal = isVip || node.addresses.has(packet.destination);
  steps.push({ step: 'destination', kind: isVip ? 'vip' : isLocal ? 'node-address' : 'elsewhere' });
  const isFromNode = sender.kind === 'process-on-this-node';
  const range = isLocal ? undefined : serviceRangeAround(way);
  if (range !== undefined) {
    const rule = isFromNode ? rules.unallocatedFromNode : rules.unallocated;
    return meet(way, rule, filterElementKey({ set: 'service_ranges', range }), nowhere);
  }
  // IPVS looks at what a process on the node sends wherever it goes, and else only at what is for this node.
  if (!isLocal && !isFromNode) {
    return { kind: 'passed', why: 'not-for-this-node' };
  }
  const dropped = isFromNode ? beforeIpvsFromNode(way) : beforeIpvs(way);
  if (dropped !== undefined) {
    return dropped;
  }
  const found = findServer(way);
  if (found !== undefined) {
    return balance(way, found);
  }
  return isLocal ? afterIpvs(way) : { kind: 'passed', why: 'not-for-this-node' };
}

const policyDrop: Verdict = { kind: 'dropped', why: 'no-endpoint-that-the-policy-allows' };
const nowhere: Verdict = { kind: 'dropped', why: 'no-service-has-it' };
const sourceDrop: Verdict = { kind: 'dropped', why: 'source-not-allowed' };

/** The chain `before_ipvs`, rule by rule. */
function beforeIpvs(way: Way): Verdict | undefined {
  const isPod = way.sender.kind === 'pod';
  if (isIn(way, 'drop')) {
    return meet(way, rules.drop, elementKey(way, 'drop'), policyDrop);
  }
  if (isRestricted(way)) {
    return meet(way, rules.restricted, elementKey(way, 'restricted'), sourceDrop);
  }
  if (isPod && takeView(way, rules.insideView, 'inside')) {
    return undefined;
  }
  if (!isPod && isIn(way, 'drop_outside')) {
    return meet(way, rules.dropOutside, elementKey(way, 'drop_outside'), policyDrop);
  }
  if (!isPod && takeView(way, rules.directView, 'direct')) {
    return undefined;
  }
  if (!isPod && isIn(way, 'masquerade_outside')) {
    askForMasquerade(way, rules.masqueradeOutside, 'masquerade_outside');
  } else if (isIn(way, 'masquerade')) {
    askForMasquerade(way, rules.masquerade, 'masquerade');
  }
  return undefined;
}

/** The chain `before_ipvs_from_node`, rule by rule. */
function beforeIpvsFromNode(way: Way): Verdict | undefined {
  if (isIn(way, 'drop')) {
    return meet(way, rules.dropFromNode, elementKey(way, 'drop'), policyDrop);
  }
  if (isRestricted(way)) {
    return meet(way, rules.restrictedFromNode, elementKey(way, 'restricted'), sourceDrop);
  }
  if (takeView(way, rules.insideViewFromNode, 'inside')) {
    return undefined;
  }
  if (!hasVipElement(way) && isIn(way, 'masquerade')) {
    askForMasquerade(way, rules.masqueradeFromNode, 'masquerade');
  }
  return undefined;
}

/** What IPVS left goes to the sockets of the node, unless the address is a VIP. */
function afterIpvs(way: Way): Verdict {
  if (isIn(way, 'health_check')) {
    const probe: Verdict = { kind: 'passed', why: 'health-check' };
    return meet(way, rules.healthCheck, elementKey(way, 'health_check'), probe);
  }
  const element = filterElementKey({ set: 'vips', address: way.packet.destination });
  return hasVipElement(way)
    ? meet(way, rules.otherPort, element, { kind: 'rejected', why: 'no-port-of-a-service' })
    : { kind: 'passed', why: 'no-virtual-server' };
}

/** IPVS looks for the mark first, then for the address (ip_vs_service_find in net/netfilter/ipvs/ip_vs_ctl.c). */
function findServer({ packet, state, mark, view: marked, steps }: Way): ProgrammedServer | undefined {
  const family = familyOf(packet.destination);
  const byMark = { view: marked, key: virtualServerKey({ kind: 'fwmark', family, mark }) } as const;
  const byAddress = { view: 'plain', key: frontendKey(packet.protocol, packet.destination, packet.port) } as const;
  for (const { view, key } of mark === 0 ? [byAddress] : [byMark, byAddress]) {
    const found = state.virtualServer(key);
    if (found !== undefined) {
      const { server, origin } = found;
      const isPersistent = (server.flags & virtualServerFlags.persistent) !== 0;
      const persistenceSeconds = isPersistent ? server.timeoutSeconds : 0;
      steps.push({ step: 'virtual-server', key, view, origin, scheduler: server.scheduler, persistenceSeconds });
      return found;
    }
  }
  return undefined;
}

/** A destination of weight 0 takes no new connection; without any other the kernel refuses (ip_vs_leave). */
function balance(way: Way, { destinations }: ProgrammedServer): Verdict {
  const candidates = destinations.filter(({ weight }) => weight > 0);
  if (candidates.length === 0) {
    return { kind: 'rejected', why: 'no-endpoint' };
  }
  return {
    kind: 'balanced',
    destinations: candidates.map(({ address, port, weight, forwarding }): TracedDestination => {
      return {
        key: destinationKey({ address, port }),
        address,
        weight,
        forwarding,
        sees: seenBy(way, { address, forwarding }),
      };
    }),
  };
}

/** What a tunnel brings comes as it was sent. */
function seenBy(way: Way, { address, forwarding }: Pick<Destination, 'address' | 'forwarding'>): SourceSeen {
  return forwarding === 'masquerade' ? sourceNat(way, address) : { kind: 'unchanged', address: way.sender.address };
}

/** The chain `source_nat`. Only what IPVS forwards by masquerade passes there; the other methods keep the source. */
function sourceNat(way: Way, destination: string): SourceSeen {
  const rule = sourceNatRule(way, destination);
  return rule === undefined
    ? { kind: 'unchanged', address: way.sender.address }
    : { kind: 'masqueraded', address: way.node.sourceTowards(destination), rule };
}

function sourceNatRule({ packet, sender, node, state, mark }: Way, destination: string): Rule | undefined {
  if ((mark & node.masqueradeMark) !== 0) {
    return rules.sourceNat;
  }
  const hairpin = filterElementKey({ set: 'hairpin', address: destination });
  if (sender.address === destination && state.element(hairpin) !== undefined) {
    return rules.hairpin;
  }
  const toVip = state.element(filterElementKey({ set: 'vips', address: packet.destination })) !== undefined;
  return mark !== 0 && sender.kind === 'process-on-this-node' && !toVip ? rules.nodePortsFromNode : undefined;
}

/** The rules `meta mark set … map @inside_view`, or @direct_view: they match when the map has the frontend. */
function takeView(way: Way, rule: Rule, view: Way['view']): boolean {
  const key = `${view}_view ${frontendKey(way.packet.protocol, way.packet.destination, way.packet.port)}`;
  const element = way.state.element(key);
  if (element === undefined || !isViewElement(element)) {
    return false;
  }
  way.mark = element.mark;
  way.view = view;
  way.steps.push({ step: 'rule', rule, element: key, mark: way.mark });
  return true;
}

function askForMasquerade(way: Way, rule: Rule, set: FrontendSet): void {
  way.mark = (way.mark | way.node.masqueradeMark) >>> 0;
  way.steps.push({ step: 'rule', rule, element: elementKey(way, set), mark: way.mark });
}

function meet(way: Way, rule: Rule, element: string, verdict: Verdict): Verdict {
  way.steps.push({ step: 'rule', rule, element, mark: way.mark });
  return verdict;
}

function serviceRangeAround({ packet, state }: Way): string | undefined {
  const { destination } = packet;
  return state.serviceRanges.find((range) => rangesMeet(range, `${destination}-${destination}`));
}

/** A source that is not known is in no range. */
function isRestricted(way: Way): boolean {
  const { packet, sender, state } = way;
  const ranges = state.allowedSources(frontendKey(packet.protocol, packet.destination, packet.port));
  const { address } = sender;
  const isAllowed = address !== undefined && ranges.some((range) => rangesMeet(range, `${address}-${address}`));
  return isIn(way, 'restricted') && !isAllowed;
}

function isIn(way: Way, set: FrontendSet): boolean {
  return way.state.element(elementKey(way, set)) !== undefined;
}

function elementKey({ packet }: Way, set: FrontendSet): string {
  return filterElementKey({ set, address: packet.destination, protocol: packet.protocol, port: packet.port });
}

function hasVipElement({ packet, state }: Way): boolean {
  return state.element(filterElementKey({ set: 'vips', address: packet.destination })) !== undefined;
}
