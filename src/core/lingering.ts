/**
 * A deleted Service keeps the connections that it has, as a destination on its way out does. Its frontends stay wanted
 * as the kernel holds them, with every destination at weight 0: whoever connects anew is refused, and what is
 * established goes on.
 */

import { type Actual, type ActualVirtualServer, ownershipKey, vipKey } from './actual.ts';
import { familyOf } from './address.ts';
import { filterElementKey, virtualServerKey } from './keys.ts';
import { type FilterElement, type FrontendSet, isViewElement, type ViewSet, viewSets } from './model/filter-element.ts';
import type { Contribution, Frontend, Resource } from './model/resource.ts';
import type { Destination, VirtualServerIdentity } from './model/virtual-server.ts';

/** Under which name a lingering frontend stands among the Services: no Service can have it. */
export function lingeringName(frontend: string): string {
  return `lingering ${frontend}`;
}

/** The Service that a virtual server of sluice's was made for, `namespace/name`; undefined for others'. */
export function ownerOf(actual: Actual, frontend: string): string | undefined {
  const record = actual.elements.get(`virtual_servers ${frontend}`);
  return record !== undefined && 'comment' in record ? record.comment?.split(':', 1)[0] : undefined;
}

/** The virtual servers of one frontend: the plain one, and those of its views. */
export function serversOf(actual: Actual, frontend: string): readonly VirtualServerIdentity[] {
  const plain = actual.virtualServers.get(frontend)?.server.identity;
  if (plain?.kind !== 'address') {
    return [];
  }
  const family = familyOf(plain.address);
  const views = viewSets.flatMap((set): readonly VirtualServerIdentity[] => {
    const view = actual.elements.get(`${set} ${frontend}`);
    return view !== undefined && isViewElement(view) ? [{ kind: 'fwmark', family, mark: view.mark }] : [];
  });
  return [plain, ...views];
}

/** What a lingering frontend asks for: as a Service younger than all, so that any other takes its place. */
export function lingeringContribution(actual: Actual, frontend: string): Contribution {
  const servers = serversOf(actual, frontend).flatMap((identity) => {
    const there = actual.virtualServers.get(virtualServerKey(identity));
    return there === undefined ? [] : [there];
  });
  const service = lingeringName(frontend);
  const resources = [
    ...servers.map((there) => quiesced(there, service)),
    ...elementsOf(actual, frontend, servers).map(
      (value): Resource => ({ kind: 'element', key: filterElementKey(value), value }),
    ),
    ...vipOf(actual, servers[0]),
  ];
  const made: Frontend = { key: frontend, resources };
  const createdAt = Number.MAX_SAFE_INTEGER;
  return { service, createdAt, scheduler: 'rr', frontends: [made], refusals: [], localGaps: [] };
}

function quiesced({ server, destinations }: ActualVirtualServer, service: string): Resource {
  const zero = destinations.map((destination): Destination => ({ ...destination, weight: 0 }));
  const value = { server, destinations: zero, protocol: 'TCP', service, origin: service } as const;
  return { kind: 'virtual-server', key: virtualServerKey(server.identity), value };
}

const frontendSets: readonly (FrontendSet | ViewSet)[] = [
  'masquerade',
  'masquerade_outside',
  'restricted',
  'drop',
  'drop_outside',
  ...viewSets,
];

function elementsOf(
  actual: Actual,
  frontend: string,
  servers: readonly ActualVirtualServer[],
): readonly FilterElement[] {
  const keys = [
    ...frontendSets.map((set) => `${set} ${frontend}`),
    ...servers.map(({ server }) => ownershipKey(server.identity)),
    ...servers.flatMap(({ destinations }) => destinations.map(({ address }) => `hairpin ${address}`)),
  ];
  return [...new Set(keys)].map((key) => actual.elements.get(key)).filter((element) => element !== undefined);
}

function vipOf(actual: Actual, there: ActualVirtualServer | undefined): readonly Resource[] {
  const identity = there?.server.identity;
  const address = identity?.kind === 'address' ? identity.address : '';
  const vip = actual.vips.get(vipKey(address));
  const value: FilterElement = { set: 'vips', address };
  const key = filterElementKey(value);
  return vip === undefined || !actual.elements.has(key)
    ? []
    : [
        { kind: 'vip', key: vipKey(address), value: { address, source: vip.source } },
        { kind: 'element', key, value },
        ...(vip.isSteered === true ? [steering(address)] : []),
      ];
}

function steering(address: string): Resource {
  const value: FilterElement = { set: 'direct_return', address };
  return { kind: 'element', key: filterElementKey(value), value };
}
