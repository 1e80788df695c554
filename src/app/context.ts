/** The node as compilation sees it: from the configuration, the Node object and the addresses the kernel has. */

import { type CIDR, cidrContains, familyOf, lastAddressOf, parseCIDR } from '../core/address.ts';
import type { Facts } from '../core/facts.ts';
import type { AddressRules, CompileContext, SchedulerSupport } from '../core/model/context.ts';
import type { Family, ServiceCIDRFact } from '../core/model/facts.ts';
import type { PodTunnelState } from '../core/model/pod-tunnel.ts';
import type { NodeAddress } from '../kernel/ports.ts';
import type { NodePortAddresses } from './config/config.ts';
import { listenAddresses } from './health/listen-addresses.ts';
import { detectPods, type PodDetection } from './pod-detection.ts';

export interface ContextSettings {
  readonly nodeName: string;
  readonly bindAddress: string | undefined;
  readonly nodePortAddresses: NodePortAddresses;
  /** Ports that the agent listens on, and what for. */
  readonly reservedPorts: ReadonlyMap<number, string>;
  readonly masqueradeAll: boolean;
  readonly podDetection: PodDetection;
  /** Used while there is no ServiceCIDR. */
  readonly serviceCIDRs: readonly CIDR[];
  readonly addressRules: AddressRules;
  readonly schedulers: SchedulerSupport;
  /** How far the pods are that answer directly; undefined: direct return is off. */
  readonly podTunnels: (() => ReadonlyMap<string, PodTunnelState>) | undefined;
}

/** What the kernel says about this node's addresses. */
export interface NodeReading {
  readonly addresses: readonly NodeAddress[];
  /** The source towards the default route. */
  readonly defaultSources: Readonly<Record<Family, string | undefined>>;
}

export function makeContext(
  settings: ContextSettings,
  { node, serviceCIDRs }: Pick<Facts, 'node' | 'serviceCIDRs'>,
  reading: NodeReading,
): CompileContext {
  const sourceFor = (family: Family): string | undefined => {
    const ofFamily = (address: string): boolean => familyOf(address) === family;
    const { bindAddress = '' } = settings;
    const chosen = bindAddress !== '' && ofFamily(bindAddress) ? bindAddress : undefined;
    return sourceOf(family, [chosen, node?.addresses.find(ofFamily)], reading);
  };
  const sources = { IPv4: sourceFor('IPv4'), IPv6: sourceFor('IPv6') };
  const addresses = reading.addresses.map((address) => address.address);
  return {
    node: { name: settings.nodeName, zone: node?.zone ?? '' },
    sources,
    nodeAddresses: new Set([...addresses, ...(node?.allAddresses ?? [])]),
    broadcastAddresses: broadcastAddresses(reading),
    serviceCIDRs: serviceRanges(settings, serviceCIDRs),
    addressRules: settings.addressRules,
    nodePortAddresses: nodePortAddresses(settings.nodePortAddresses, sources, reading),
    healthCheckAddresses: listenAddresses({ wanted: settings.nodePortAddresses, sources, addresses }),
    reservedPorts: settings.reservedPorts,
    masqueradeAll: settings.masqueradeAll,
    ...detectPods(settings.podDetection, node),
    schedulers: settings.schedulers,
    hasDirectReturn: settings.podTunnels !== undefined,
    podTunnels: settings.podTunnels?.() ?? noTunnels,
  };
}

const noTunnels: ReadonlyMap<string, PodTunnelState> = new Map();

function serviceRanges(settings: ContextSettings, objects: ReadonlyMap<string, ServiceCIDRFact>): readonly CIDR[] {
  const declared = [...objects.values()].flatMap((object) => object.cidrs);
  return objects.size === 0 ? settings.serviceCIDRs : cidrs(...declared);
}

/**
 * The first of the candidates that this node really has, else the one the kernel would use towards the
 * default route, else the first global one.
 */
function sourceOf(
  family: Family,
  candidates: readonly (string | undefined)[],
  reading: NodeReading,
): string | undefined {
  const own = reading.addresses.filter((address) => address.scope === 'global').map((address) => address.address);
  const declared = candidates.find((address) => address !== undefined && own.includes(address));
  if (declared !== undefined) {
    return declared;
  }
  return reading.defaultSources[family] ?? own.find((address) => familyOf(address) === family && !isLoopback(address));
}

function nodePortAddresses(
  wanted: NodePortAddresses,
  sources: Readonly<Record<Family, string | undefined>>,
  reading: NodeReading,
): readonly string[] {
  const usable = reading.addresses.map((address) => address.address).filter((address) => !isLoopback(address));
  const distinct = [...new Set(usable)];
  if (wanted === 'primary') {
    const primary = [sources.IPv4, sources.IPv6].filter((address) => address !== undefined);
    return primary.length > 0 ? primary : distinct.filter((address) => !isLinkLocal(address));
  }
  if (wanted === 'all') {
    return distinct.filter((address) => !isLinkLocal(address));
  }
  return distinct.filter((address) => matches(wanted, address));
}

/** A family without a CIDR in the list has all its addresses served (kube-proxy's pkg/proxy/util/nodeport_addresses.go). */
function matches(wanted: readonly CIDR[], address: string): boolean {
  const ofFamily = wanted.filter((cidr) => cidr.family === familyOf(address));
  return ofFamily.length === 0 || ofFamily.some((cidr) => cidr.prefixLength === 0)
    ? !isLinkLocal(address)
    : ofFamily.some((cidr) => cidrContains(cidr, address));
}

/** IPv6 has none, and neither have networks of one or two addresses (RFC 3021). */
function broadcastAddresses({ addresses }: NodeReading): ReadonlySet<string> {
  const networks = addresses.filter(
    ({ address, prefixLength }) => familyOf(address) === 'IPv4' && prefixLength < 31 && !isLoopback(address),
  );
  return new Set(networks.map(({ address, prefixLength }) => lastAddressOf(address, prefixLength)));
}

const loopbacks = cidrs('127.0.0.0/8', '::1/128');
/** IPv4 link-local addresses stay: clouds put real services on them, and kube-proxy serves them. */
const linkLocals = cidrs('fe80::/10');

function isLoopback(address: string): boolean {
  return loopbacks.some((cidr) => cidrContains(cidr, address));
}

function isLinkLocal(address: string): boolean {
  return linkLocals.some((cidr) => cidrContains(cidr, address));
}

function cidrs(...texts: readonly string[]): readonly CIDR[] {
  return texts.map(parseCIDR).filter((cidr) => cidr !== undefined);
}
