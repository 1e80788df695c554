/** What is programmed, as a packet meets it: looked up by key, whether it is wanted or in the kernel. */

import { type Actual, ownershipKey, vipKey } from '../actual.ts';
import type { Desired } from '../desired.ts';
import { frontendKey } from '../keys.ts';
import type { FilterElement } from '../model/filter-element.ts';
import type { Destinations, VirtualServer } from '../model/virtual-server.ts';

export interface TraceState {
  /** By `filterElementKey`. */
  readonly element: (key: string) => FilterElement | undefined;
  /** The ranges of `allowed_sources`, by `frontendKey`. */
  readonly allowedSources: (frontend: string) => readonly string[];
  /** The ranges of `service_ranges`. */
  readonly serviceRanges: readonly string[];
  /** The ranges of `pod_sources`. */
  readonly podSources: readonly string[];
  /** By `virtualServerKey`. */
  readonly virtualServer: (key: string) => ProgrammedServer | undefined;
  readonly vip: (address: string) => { readonly source: string | undefined } | undefined;
}

export interface ProgrammedServer {
  readonly server: VirtualServer;
  readonly destinations: Destinations;
  /** `namespace/name:port`. */
  readonly origin: string | undefined;
}

/** What should be in the kernel. */
export function wantedState(desired: Desired): TraceState {
  const resource = (key: string) => desired.resources.get(key);
  const elements = [...desired.resources.values()].flatMap(({ kind, value }) => (kind === 'element' ? [value] : []));
  return {
    allowedSources: rangesByFrontend(elements),
    serviceRanges: rangesOf(elements, 'service_ranges'),
    podSources: rangesOf(elements, 'pod_sources'),
    element: (key) => {
      const found = resource(key);
      return found?.kind === 'element' ? found.value : undefined;
    },
    virtualServer: (key) => {
      const found = resource(key);
      return found?.kind === 'virtual-server' ? found.value : undefined;
    },
    vip: (address) => {
      const found = resource(vipKey(address));
      return found?.kind === 'vip' ? found.value : undefined;
    },
  };
}

/** What is in the kernel, others' virtual servers included. */
export function kernelState(actual: Actual): TraceState {
  return {
    allowedSources: rangesByFrontend(actual.elements.values()),
    serviceRanges: rangesOf(actual.elements.values(), 'service_ranges'),
    podSources: rangesOf(actual.elements.values(), 'pod_sources'),
    element: (key) => actual.elements.get(key),
    virtualServer: (key) => {
      const found = actual.virtualServers.get(key);
      if (found === undefined) {
        return undefined;
      }
      const record = actual.elements.get(ownershipKey(found.server.identity));
      const origin = record !== undefined && 'comment' in record ? record.comment : undefined;
      return { ...found, origin };
    },
    vip: (address) => {
      const found = actual.vips.get(vipKey(address));
      return found?.routed === true || found?.onInterface === true ? found : undefined;
    },
  };
}

function rangesOf(elements: Iterable<FilterElement>, set: 'service_ranges' | 'pod_sources'): readonly string[] {
  return [...elements].flatMap((element) => (element.set === set && 'range' in element ? [element.range] : []));
}

function rangesByFrontend(elements: Iterable<FilterElement>): (frontend: string) => readonly string[] {
  const ranges = new Map<string, string[]>();
  for (const element of elements) {
    if (element.set === 'allowed_sources') {
      const key = frontendKey(element.protocol, element.address, element.port);
      ranges.set(key, [...(ranges.get(key) ?? []), element.range]);
    }
  }
  return (frontend) => ranges.get(frontend) ?? [];
}
