/** Which Services a new context touches: an address that comes or goes must not cost what exists. */

import { type CIDR, formatCIDR } from './address.ts';
import { wantsDirectReturn } from './annotations.ts';
import { type Facts, slicesOf } from './facts.ts';
import type { AddressRules, CompileContext } from './model/context.ts';

/** The keys of the Services to compile again; none when both contexts mean the same. */
export function servicesTouchedBy(before: CompileContext, after: CompileContext, facts: Facts): ReadonlySet<string> {
  const change: Change = { before, after, facts };
  const services = new Set<string>();
  for (const { isSame, touched } of Object.values(aspects)) {
    if (!isSame(before, after)) {
      for (const key of touched(change)) {
        services.add(key);
      }
    }
  }
  return services;
}

interface Change {
  readonly before: CompileContext;
  readonly after: CompileContext;
  readonly facts: Facts;
}

interface Aspect {
  readonly isSame: (one: CompileContext, other: CompileContext) => boolean;
  /** What a difference touches. */
  readonly touched: (change: Change) => Iterable<string>;
}

const everything = ({ facts }: Change): Iterable<string> => facts.services.keys();

/** A field that is missing here does not compile. */
const aspects: Readonly<Record<keyof CompileContext, Aspect>> = {
  node: {
    isSame: ({ node: one }, { node: other }) => one.name === other.name && one.zone === other.zone,
    touched: (change) =>
      change.before.node.name === change.after.node.name ? withZoneHints(change) : everything(change),
  },
  sources: {
    isSame: ({ sources: one }, { sources: other }) => one.IPv4 === other.IPv4 && one.IPv6 === other.IPv6,
    touched: everything,
  },
  nodeAddresses: {
    isSame: (one, other) => isSameSet(one.nodeAddresses, other.nodeAddresses),
    touched: ({ before, after, facts }) => atAddresses(facts, difference(before.nodeAddresses, after.nodeAddresses)),
  },
  broadcastAddresses: {
    isSame: (one, other) => isSameSet(one.broadcastAddresses, other.broadcastAddresses),
    touched: ({ before, after, facts }) =>
      externallyAt(facts, difference(before.broadcastAddresses, after.broadcastAddresses)),
  },
  serviceCIDRs: {
    isSame: (one, other) => isSameList(one.serviceCIDRs, other.serviceCIDRs),
    touched: ({ facts }) => [...facts.addresses.external.values()].flat(),
  },
  addressRules: {
    isSame: ({ addressRules: one }, { addressRules: other }) => one === other || textOf(one) === textOf(other),
    touched: everything,
  },
  nodePortAddresses: {
    isSame: (one, other) => isSameSet(new Set(one.nodePortAddresses), new Set(other.nodePortAddresses)),
    touched: withNodePorts,
  },
  healthCheckAddresses: {
    isSame: (one, other) => isSameSet(new Set(one.healthCheckAddresses), new Set(other.healthCheckAddresses)),
    touched: withHealthChecks,
  },
  reservedPorts: {
    isSame: ({ reservedPorts: one }, { reservedPorts: other }) => String([...one]) === String([...other]),
    touched: withHealthChecks,
  },
  masqueradeAll: {
    isSame: (one, other) => one.masqueradeAll === other.masqueradeAll,
    touched: everything,
  },
  detectsLocal: {
    isSame: ({ detectsLocal: one }, { detectsLocal: other }) => one.IPv4 === other.IPv4 && one.IPv6 === other.IPv6,
    touched: everything,
  },
  // The filter alone has them.
  podSources: {
    isSame: (one, other) => isSameList(one.podSources, other.podSources),
    touched: () => [],
  },
  hasDirectReturn: {
    isSame: (one, other) => one.hasDirectReturn === other.hasDirectReturn,
    touched: everything,
  },
  podTunnels: {
    isSame: (one, other) => one.podTunnels === other.podTunnels,
    touched: withChangedTunnels,
  },
  schedulers: {
    isSame: ({ schedulers: one }, { schedulers: other }) =>
      one.defaultScheduler === other.defaultScheduler && isSameSet(one.available, other.available),
    touched: everything,
  },
};

function* withZoneHints({ facts }: Change): Iterable<string> {
  for (const [service, slices] of facts.slices) {
    if (slices.some(({ endpoints }) => endpoints.some(({ zoneHints }) => zoneHints !== undefined))) {
      yield service;
    }
  }
}

function* withNodePorts({ facts }: Change): Iterable<string> {
  for (const { key, ports } of facts.services.values()) {
    if (ports.some(({ nodePort }) => nodePort !== 0)) {
      yield key;
    }
  }
}

function* withHealthChecks({ facts }: Change): Iterable<string> {
  for (const { key, healthCheckNodePort } of facts.services.values()) {
    if (healthCheckNodePort !== 0) {
      yield key;
    }
  }
}

/** A state is replaced when it changes. */
function* withChangedTunnels({ before, after, facts }: Change): Iterable<string> {
  const isChanged = (address: string): boolean => before.podTunnels.get(address) !== after.podTunnels.get(address);
  for (const { key, annotations } of facts.services.values()) {
    const slices = wantsDirectReturn(annotations) ? slicesOf(facts, key) : [];
    if (slices.some(({ endpoints }) => endpoints.some(({ address }) => isChanged(address)))) {
      yield key;
    }
  }
}

function* atAddresses(facts: Facts, addresses: readonly string[]): Iterable<string> {
  yield* externallyAt(facts, addresses);
  for (const { key, clusterIPs } of facts.services.values()) {
    if (clusterIPs.some((address) => addresses.includes(address))) {
      yield key;
    }
  }
}

function externallyAt(facts: Facts, addresses: readonly string[]): readonly string[] {
  return addresses.flatMap((address) => facts.addresses.external.get(address) ?? []);
}

/** What only one of the two has. */
function difference(one: ReadonlySet<string>, other: ReadonlySet<string>): readonly string[] {
  return [...[...one].filter((each) => !other.has(each)), ...[...other].filter((each) => !one.has(each))];
}

function isSameSet(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((each) => other.has(each));
}

function isSameList(one: readonly CIDR[], other: readonly CIDR[]): boolean {
  return one.map(formatCIDR).join() === other.map(formatCIDR).join();
}

function textOf(rules: AddressRules): string {
  const apiServers = [...rules.apiServers].map(([address, ports]) => [address, [...ports]]);
  return JSON.stringify({ ...rules, apiServers });
}
