/**
 * A Service that is compiled again mostly wants what it wanted before. That stays the very objects that are kept already, and
 * their new copies are gone before the garbage collector has moved them.
 */

import { eachPair, isSameDestination } from './destinations.ts';
import { exactList } from './exact-list.ts';
import type { FilterElement } from './model/filter-element.ts';
import type { Contribution, DesiredVirtualServer, Frontend, Resource } from './model/resource.ts';
import type { Vip } from './model/vip.ts';
import type { Destination, Destinations } from './model/virtual-server.ts';
import { isSameElement } from './plan.ts';
import { isSameList } from './same-list.ts';
import { isSameServer } from './same-server.ts';

/** The contribution, with what is the same in the last one from there. */
export function shareContribution(made: Contribution, last: Contribution): Contribution {
  return { ...made, frontends: shareList(made.frontends, last.frontends, shareFrontend) };
}

function shareFrontend(frontend: Frontend, last: Frontend): Frontend {
  const resources = shareList(frontend.resources, last.resources, shareResource);
  return resources === last.resources ? last : { key: last.key, resources };
}

/** What is at the same place by the same key. The list itself is shared where all in it is. */
function shareList<Item extends { readonly key: string }>(
  made: readonly Item[],
  last: readonly Item[],
  share: (item: Item, last: Item) => Item,
): readonly Item[] {
  const list = made.map((item, index) => {
    const known = last[index];
    return known?.key === item.key ? share(item, known) : item;
  });
  return isSameList(list, last) ? last : list;
}

function shareResource(resource: Resource, last: Resource): Resource {
  switch (resource.kind) {
    case 'virtual-server':
      return last.kind === resource.kind ? shareServer(resource, last) : resource;
    case 'vip':
      return last.kind === resource.kind && isSameVip(resource.value, last.value) ? last : resource;
    case 'element':
      return last.kind === resource.kind && isAlike(resource.value, last.value) ? last : resource;
    case 'health-check':
    case 'pod-tunnel':
      // Few have one.
      return resource;
  }
}

type ServerResource = Extract<Resource, { readonly kind: 'virtual-server' }>;

function shareServer(resource: ServerResource, last: ServerResource): ServerResource {
  const { protocol, service, origin } = resource.value;
  const server = isSameServer(resource.value.server, last.value.server) ? last.value.server : resource.value.server;
  const destinations = shareDestinations(resource.value.destinations, last.value.destinations);
  const isSame = server === last.value.server && destinations === last.value.destinations;
  if (isSame && isOfSame(resource.value, last.value)) {
    return last;
  }
  return { kind: 'virtual-server', key: last.key, value: { server, destinations, protocol, service, origin } };
}

function isOfSame(one: DesiredVirtualServer, other: DesiredVirtualServer): boolean {
  return one.protocol === other.protocol && one.service === other.service && one.origin === other.origin;
}

function shareDestinations(made: Destinations, last: Destinations): Destinations {
  const list: Destination[] = [];
  eachPair(made, last, (destination, known) => {
    if (destination !== undefined) {
      list.push(known !== undefined && isSameDestination(destination, known) ? known : destination);
    }
  });
  return isSameList(list, last) ? last : exactList(list);
}

function isSameVip(one: Vip, other: Vip): boolean {
  return one.source === other.source && one.isSteered === other.isSteered && one.encapsulation === other.encapsulation;
}

/** Of elements with one key: what is not compared with the kernel counts too. */
function isAlike(one: FilterElement, other: FilterElement): boolean {
  return (
    isSameElement(one, other) &&
    ('comment' in one ? one.comment : undefined) === ('comment' in other ? other.comment : undefined) &&
    ('encapsulation' in one ? one.encapsulation : undefined) ===
      ('encapsulation' in other ? other.encapsulation : undefined)
  );
}
