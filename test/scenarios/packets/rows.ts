/** The rows of the packet table: who sends what to which frontend of which Service, and what is promised. */

import type { Target } from '../../lab/traffic/result.ts';
import type { Family, Place, Protocol } from '../../lab/world/places.ts';
import type { World } from '../../lab/world.ts';
import { keysOf } from '../../support/keys-of.ts';
import type { TrafficPolicy } from '../manifests.ts';
import {
  type Allowed,
  type EndpointPod,
  type Outcome,
  promised,
  type Sender,
  sourceRanges,
  withDetector,
} from './contract.ts';
import {
  families,
  nodePortOf,
  protocols,
  type ServiceCase,
  serverPort,
  serviceCases,
  servicePort,
  unallocatedAddress,
  type VipKind,
  vipKinds,
  vipOf,
} from './services.ts';

export const nodeNames = ['node1', 'node2'] as const;
export type NodeName = (typeof nodeNames)[number];

/** Where packets come from. A pod's and a node's meet sluice on their own node first, a client's on node1. */
export const sources = {
  'a pod on node1': { place: 'idle-near', node: 'node1', sender: 'pod' },
  'a pod on node2': { place: 'idle-far', node: 'node2', sender: 'pod' },
  'a process on node1': { place: 'node1', node: 'node1', sender: 'node' },
  'a process on node2': { place: 'node2', node: 'node2', sender: 'node' },
  'a client outside': { place: 'client', node: 'node1', sender: 'external' },
  'the endpoint on node1': { place: 'near', node: 'node1', sender: 'pod', self: 'near' },
} as const satisfies Readonly<
  Record<string, { place: string; node: NodeName; sender: Sender; self?: EndpointPod | undefined }>
>;

export type SourceName = keyof typeof sources;

/** A kind of VIP, or the node port at one address of a node. */
export type Frontend =
  /** `another port`: of the VIP; no Service has it, and the nodes themselves have a server on it. */
  | { readonly kind: VipKind; readonly which: 'port of the Service' | 'another port' }
  /** Inside the service range. */
  | { readonly kind: 'address of no Service' }
  | { readonly kind: 'node port'; readonly node: NodeName; readonly which: 'first' | 'second' | 'pod gateway' };

const frontends: readonly Frontend[] = [
  ...vipKinds.map((kind) => ({ kind, which: 'port of the Service' as const })),
  { kind: 'node port', node: 'node1', which: 'first' },
  { kind: 'node port', node: 'node1', which: 'second' },
  { kind: 'node port', node: 'node1', which: 'pod gateway' },
  { kind: 'node port', node: 'node2', which: 'first' },
];

export interface Row {
  readonly name: string;
  readonly source: SourceName;
  readonly frontend: Frontend;
  readonly service: ServiceCase;
  readonly protocol: Protocol;
  readonly family: Family;
  readonly expected: Outcome;
}

/** Which part of the table is asked, and by what promises. */
export interface TablePart {
  readonly table: Parameters<typeof promised>[0];
  /** Whether a node knows pods of other nodes for pods. */
  readonly knowsForeignPods: boolean;
  readonly services: readonly ServiceCase[];
  readonly protocols: readonly Protocol[];
  readonly sources: readonly SourceName[];
}

export const wholeTable: TablePart = {
  table: withDetector,
  knowsForeignPods: true,
  services: serviceCases,
  protocols,
  sources: keysOf(sources),
};

export function rowsOf(part: TablePart): readonly Row[] {
  return [...serviceRows(part), ...noServiceRows(part)];
}

function serviceRows(part: TablePart): readonly Row[] {
  return part.sources.flatMap((source) =>
    frontends.flatMap((frontend) =>
      part.services
        .filter(({ isInternal }) => !isInternal || frontend.kind === 'ClusterIP')
        .flatMap((service) =>
          families.flatMap((family) =>
            part.protocols.map((protocol) => makeRow(part, { source, frontend, service, protocol, family })),
          ),
        ),
    ),
  );
}

/** What no Service has: rejected at a VIP, and nowhere else in the service range. */
function noServiceRows({ sources: from, services, protocols: of }: TablePart): readonly Row[] {
  const [service] = services;
  const outcomes: readonly (readonly [Frontend, Outcome])[] = [
    ...vipKinds.map((kind) => [{ kind, which: 'another port' }, 'REJECT'] as const),
    [{ kind: 'address of no Service' }, 'DROP'],
  ];
  return from.flatMap((source) =>
    outcomes.flatMap(([frontend, expected]) =>
      families.flatMap((family) =>
        of.flatMap((protocol): readonly Row[] => {
          if (service === undefined) return [];
          const row = { source, frontend, service, protocol, family };
          return [{ ...row, name: nameOf(row), expected }];
        }),
      ),
    ),
  );
}

/** Where the row's packets go. */
export function targetOf(world: World, { frontend, service, family, protocol }: Omit<Row, 'expected'>): Target {
  if (frontend.kind === 'address of no Service') {
    return { protocol, address: unallocatedAddress[family], port: servicePort };
  }
  if (frontend.kind !== 'node port') {
    const port = frontend.which === 'another port' ? serverPort : servicePort;
    return { protocol, address: vipOf(service, frontend.kind, family), port };
  }
  const node = world.node(frontend.node);
  const addresses = {
    first: node.addresses[family][0],
    second: node.addresses[family][1],
    'pod gateway': node.podGateway[family],
  };
  return { protocol, address: addresses[frontend.which] ?? '', port: nodePortOf(service) };
}

/** The node whose sluice answers for the frontend: that of the address, or the first on the packet's way. */
export function handlerOf({ source, frontend }: Pick<Row, 'source' | 'frontend'>): NodeName {
  return frontend.kind === 'node port' ? frontend.node : sources[source].node;
}

/** The place that the row's packets are sent from. */
export function placeOf(world: World, source: SourceName): Place {
  const { place } = sources[source];
  if (place === 'client') {
    return world.client(place);
  }
  return place === 'node1' || place === 'node2' ? world.node(place) : world.pod(place);
}

/** What the handling node takes the sender for: a process on another node is no process of its own. */
function senderOf(row: Pick<Row, 'source' | 'frontend'>, { knowsForeignPods }: TablePart): Sender {
  const { sender, node } = sources[row.source];
  const isForeign = node !== handlerOf(row);
  return isForeign && (sender === 'node' || !knowsForeignPods) ? 'external' : sender;
}

function makeRow(part: TablePart, row: Omit<Row, 'name' | 'expected'>): Row {
  const { source, frontend, service } = row;
  const isClusterIP = frontend.kind === 'ClusterIP';
  const origin = sources[source];
  const answered = promised(part.table, {
    sender: senderOf(row, part),
    self: 'self' in origin ? origin.self : undefined,
    exposure: isClusterIP ? 'ClusterIP' : 'others',
    policy: isClusterIP ? service.internalPolicy : service.externalPolicy,
    endpoints: service.endpoints,
    handledBy: handlerOf(row),
  });
  return { ...row, name: nameOf(row), expected: mayCome(row) ? answered : 'DROP' };
}

/** Source ranges are a matter of load-balancer IPs alone. */
function mayCome({ source, frontend, service, family }: Omit<Row, 'name' | 'expected'>): boolean {
  if (frontend.kind !== 'load-balancer IP' || service.sourceRanges === undefined) {
    return true;
  }
  const allowed: Allowed = sourceRanges[service.sourceRanges][family];
  return allowed === 'everybody' || allowed.includes(source);
}

function nameOf({ source, frontend, service, protocol, family }: Omit<Row, 'name' | 'expected'>): string {
  const place = placeText(frontend);
  const policy = (word: string, value: TrafficPolicy): string => `${word} ${value}`;
  const policies = `${policy('internal', service.internalPolicy)}, ${policy('external', service.externalPolicy)}`;
  const kind = service.isInternal ? 'ClusterIP only, ' : '';
  const ranges = service.sourceRanges === undefined ? '' : `, source ranges: ${service.sourceRanges}`;
  const to = `${frontend.kind}${place}, ${protocol} ${family}`;
  return `${source} → ${to}, ${kind}${policies}, endpoints: ${service.endpoints}${ranges}`;
}

function placeText(frontend: Frontend): string {
  switch (frontend.kind) {
    case 'node port':
      return ` (${frontend.which} address of ${frontend.node})`;
    case 'address of no Service':
      return '';
    default:
      return frontend.which === 'another port' ? ' (another port)' : '';
  }
}
