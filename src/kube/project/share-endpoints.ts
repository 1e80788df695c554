/**
 * A slice that comes again has most endpoints as they were. They stay the very objects that are kept already, and their new
 * copies are gone before the garbage collector has moved them: of a slice with a hundred endpoints one that changed costs
 * the memory of one.
 */

import type { EndpointFact, EndpointPortFact, EndpointSliceFact, ObjectFact } from '../../core/model/facts.ts';
import { isSameList } from '../../core/same-list.ts';

/** The object, with what is the same in `before` from there. */
export function shareEndpoints(object: ObjectFact, before: ObjectFact | undefined): ObjectFact {
  return object.kind === 'EndpointSlice' && before?.kind === 'EndpointSlice'
    ? { kind: 'EndpointSlice', fact: shareSlice(object.fact, before.fact) }
    : object;
}

function shareSlice(slice: EndpointSliceFact, before: EndpointSliceFact): EndpointSliceFact {
  return {
    ...slice,
    key: before.key,
    ports: isSameList(slice.ports, before.ports, isSamePort) ? before.ports : slice.ports,
    endpoints: shareList(slice.endpoints, before.endpoints),
  };
}

/** The controller leaves the others in their order when one comes or goes: one that is not at its place is looked for by address. */
function shareList(endpoints: readonly EndpointFact[], before: readonly EndpointFact[]): readonly EndpointFact[] {
  let byAddress: ReadonlyMap<string, EndpointFact> | undefined;
  const list = endpoints.map((endpoint, index) => {
    let known = before[index];
    if (known?.address !== endpoint.address) {
      byAddress ??= new Map(before.map((each) => [each.address, each]));
      known = byAddress.get(endpoint.address);
    }
    return known !== undefined && isSameEndpoint(endpoint, known) ? known : endpoint;
  });
  return isSameList(list, before) ? before : list;
}

function isSameEndpoint(one: EndpointFact, other: EndpointFact): boolean {
  return endpointComparisons.every((isSame) => isSame(one, other));
}

type Comparisons<Fact> = Readonly<Record<keyof Fact, (one: Fact, other: Fact) => boolean>>;

/** A field that is missing here does not compile. */
const endpointFields: Comparisons<EndpointFact> = {
  address: (one, other) => one.address === other.address,
  ready: (one, other) => one.ready === other.ready,
  serving: (one, other) => one.serving === other.serving,
  terminating: (one, other) => one.terminating === other.terminating,
  nodeName: (one, other) => one.nodeName === other.nodeName,
  target: (one, other) => one.target === other.target,
  zoneHints: (one, other) => isSameHints(one.zoneHints, other.zoneHints),
  nodeHints: (one, other) => isSameHints(one.nodeHints, other.nodeHints),
};

const portFields: Comparisons<EndpointPortFact> = {
  name: (one, other) => one.name === other.name,
  protocol: (one, other) => one.protocol === other.protocol,
  port: (one, other) => one.port === other.port,
};

const endpointComparisons = Object.values(endpointFields);
const portComparisons = Object.values(portFields);

function isSameHints(one: readonly string[] | undefined, other: readonly string[] | undefined): boolean {
  return one === other || (one !== undefined && other !== undefined && isSameList(one, other));
}

function isSamePort(one: EndpointPortFact, other: EndpointPortFact | undefined): boolean {
  return other !== undefined && portComparisons.every((isSame) => isSame(one, other));
}
