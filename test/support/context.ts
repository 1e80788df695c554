import type { ContextSettings } from '../../src/app/context.ts';
import { type CIDR, parseCIDR } from '../../src/core/address.ts';
import type { AddressRules, CompileContext } from '../../src/core/model/context.ts';
import { schedulers } from '../../src/core/model/virtual-server.ts';

/** The addresses of our node. */
export const nodeAddresses = ['192.168.0.1', 'fd00:100::1'] as const;

/** Node `node-a` in `zone-a`, dual stack, with a detector of pods and every scheduler. */
export function context(fields: Partial<CompileContext> = {}): CompileContext {
  return {
    node: { name: 'node-a', zone: 'zone-a' },
    sources: { IPv4: nodeAddresses[0], IPv6: nodeAddresses[1] },
    nodeAddresses: new Set(['127.0.0.1', '::1', ...nodeAddresses]),
    broadcastAddresses: new Set(['192.168.0.255']),
    serviceCIDRs: [],
    addressRules: addressRules(),
    nodePortAddresses: nodeAddresses,
    healthCheckAddresses: ['0.0.0.0', '::'],
    reservedPorts: new Map([[10_256, 'the health server']]),
    masqueradeAll: false,
    detectsLocal: { IPv4: true, IPv6: true },
    podSources: [],
    hasDirectReturn: false,
    podTunnels: new Map(),
    schedulers: { defaultScheduler: 'rr', available: new Set(schedulers) },
    ...fields,
  };
}

/** What `makeContext` takes from the configuration. */
export function settingsOfContext(fields: Partial<ContextSettings> = {}): ContextSettings {
  return {
    nodeName: 'node-a',
    bindAddress: undefined,
    nodePortAddresses: 'primary',
    addressRules: addressRules(),
    reservedPorts: new Map(),
    masqueradeAll: false,
    podDetection: { by: 'cidrs', cidrs: [] },
    serviceCIDRs: [],
    schedulers: { defaultScheduler: 'rr', available: new Set() },
    podTunnels: undefined,
    ...fields,
  };
}

/** Nothing is known of the cluster's ranges, and nothing is asked of addresses. */
export function addressRules(fields: Partial<AddressRules> = {}): AddressRules {
  return {
    apiServers: new Map(),
    podCIDRs: [],
    excludedCIDRs: [],
    externalIPRanges: cidrs('0.0.0.0/0', '::/0'),
    loadBalancerIPRanges: [],
    isStrict: false,
    ...fields,
  };
}

export function cidrs(...texts: readonly string[]): readonly CIDR[] {
  return texts.map(parseCIDR).filter((cidr) => cidr !== undefined);
}
