/**
 * The world of most scenarios: two nodes with pods, of which `near`, `near-too` and `far` serve and the idle ones only ask,
 * and a client outside whose way into the cluster is node1. Everything seen from node1: near is local.
 */

import { output } from '../lab/execute.ts';
import { isAnswer, type RequestResult, type Target } from '../lab/traffic/result.ts';
import { type Family, placeClient, placeNode, placePod } from '../lab/world/places.ts';
import { createWorld, type World } from '../lab/world.ts';
import { familyOf } from './manifests.ts';

const podsOf = { node1: ['near', 'near-too', 'idle-near'], node2: ['far', 'idle-far'] } as const;

export const nodeNames = ['node1', 'node2'] as const;
export type NodeName = (typeof nodeNames)[number];
export type PodName = (typeof podsOf)[NodeName][number];
export type PlaceName = PodName | NodeName | 'client';

type Addresses = Readonly<Record<Family, string>>;

const nodes = { node1: placeNode('node1', 1, 2), node2: placeNode('node2', 2, 1) } as const;

export const nodeAddresses = { node1: nth(nodes.node1, 0), node2: nth(nodes.node2, 0) } as const;

/** Of node1, and not told by its Node. */
export const secondAddress = nth(nodes.node1, 1);

export const clientAddress = nth(placeClient('client', 'node1', 1), 0);

export const pods: Readonly<Record<PodName, Addresses & { readonly node: NodeName }>> = {
  near: placed('near', 'node1', 1),
  'near-too': placed('near-too', 'node1', 2),
  'idle-near': placed('idle-near', 'node1', 3),
  far: placed('far', 'node2', 1),
  'idle-far': placed('idle-far', 'node2', 2),
};

/** One world at a time. */
export async function makeTwoNodes(): Promise<World> {
  const world = await createWorld({
    nodes: nodeNames.map((name) => ({ name, pods: podsOf[name], addresses: nodes[name].addresses.IPv4.length })),
    clients: ['client'],
  });
  // Refusals are not to be rationed, since the scenarios ask for many at once.
  const unrationed = ['net.ipv4.icmp_ratelimit=0', 'net.ipv6.icmp.ratelimit=0'];
  await Promise.all(nodeNames.map((name) => inside(name, 'sysctl', '-qw', ...unrationed)));
  return world;
}

/** A server of its own on every address of a place, whenever that comes. */
export async function serveEverywhere({ traffic }: World, place: PlaceName, name: string, port: number): Promise<void> {
  for (const address of ['0.0.0.0', '::']) await traffic.listen(place, { protocol: 'TCP', address, port }, name);
}

/** Where a request goes and how. */
export interface Question extends Target {
  readonly from: PlaceName;
  /** How many, one after the other; 1 unless said. */
  readonly count?: number;
  /** Silence for so long is the answer. */
  readonly patienceMs: number;
}

export async function ask({ traffic }: World, question: Question): Promise<readonly RequestResult[]> {
  const { from, count = 1, patienceMs, ...target } = question;
  const results: RequestResult[] = [];
  while (results.length < count) results.push(await traffic.request(from, target, { deadlineMs: patienceMs }));
  return results;
}

/** All at once; the answers in the order of the questions. */
export function askAll(world: World, questions: readonly Question[]): Promise<readonly (readonly RequestResult[])[]> {
  return Promise.all(questions.map((question) => ask(world, question)));
}

/** Who answered, or why nobody did. */
export function answerer(result: RequestResult | undefined): string {
  if (result === undefined) return 'nothing';
  return isAnswer(result) ? result.answeredBy : result;
}

/** Runs a command in a namespace and returns what it printed. */
export function inside(place: PlaceName, file: string, ...args: readonly string[]): Promise<string> {
  return output(place, [file, ...args]);
}

/** Every address of a node, of one family. */
function addressesOf(node: NodeName, family: Family): readonly string[] {
  return [...nodes[node].addresses[family], nodes[node].podGateway[family]];
}

/** Whether the address belongs to the namespace. */
export function isAddressOf(place: PlaceName, address: string): boolean {
  const family = familyOf(address);
  switch (place) {
    case 'client':
      return clientAddress[family] === address;
    case 'node1':
    case 'node2':
      return addressesOf(place, family).includes(address);
    default:
      return pods[place][family] === address;
  }
}

/** The node's address towards its pods, the same on every veth. */
export function gatewayOf(node: NodeName): Addresses {
  return nodes[node].podGateway;
}

function placed(name: PodName, node: NodeName, number: number): Addresses & { readonly node: NodeName } {
  return { node, ...nth(placePod(name, node, nodeNames.indexOf(node) + 1, number), 0) };
}

function nth(
  { addresses }: { readonly addresses: Readonly<Record<Family, readonly string[]>> },
  index: number,
): Addresses {
  return { IPv4: addresses.IPv4[index] ?? '', IPv6: addresses.IPv6[index] ?? '' };
}
