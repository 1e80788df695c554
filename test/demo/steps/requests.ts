import type { RequestResult } from '../../lab/traffic/result.ts';
import type { Family, Place } from '../../lab/world/places.ts';
import type { World } from '../../lab/world.ts';
import { type FrontendKind, frontendKinds } from '../manifests.ts';
import { families } from '../place.ts';
import { type Check, type StepResult, table } from '../step.ts';
import { podOf, sources, tally } from './outcomes.ts';
import type { Stage } from './stage.ts';

/** Requests in every way there is, over TCP and UDP: who answers, and which source address it sees. */
export async function sendRequests(stage: Stage): Promise<StepResult> {
  const rows: (readonly string[])[] = [];
  const checks: Check[] = [];
  for (const kind of frontendKinds) {
    for (const family of families) {
      const web = await ask(stage, { service: 'shop/web', kind, family, count: 6 });
      const dns = await ask(stage, { service: 'shop/dns', kind, family, count: 4 });
      const label = family === 'IPv4' ? kind : `from ${kind === 'ClusterIP' ? 'a pod' : 'outside'}`;
      rows.push([label, pods(web), seen(web, stage.world), pods(dns), seen(dns, stage.world)]);
      checks.push(...checkWeb(stage.world, { kind, family, results: web }));
      checks.push(...checkDNS(stage.world, { kind, family, results: dns }));
    }
  }
  return {
    title: 'Requests to node1: who answers, and the source address it sees (TCP 6 each, UDP 4 each)',
    blocks: [table(['through', 'shop/web, TCP', 'saw', 'shop/dns, UDP', 'saw'], rows)],
    checks,
  };
}

interface Question {
  readonly service: string;
  readonly kind: FrontendKind;
  readonly family: Family;
  readonly count: number;
}

function ask({ world, manifests }: Stage, question: Question): Promise<readonly RequestResult[]> {
  const service = manifests.services.find(({ name }) => name === question.service);
  const frontend = service?.frontends.find(({ kind, family }) => kind === question.kind && family === question.family);
  if (frontend === undefined) {
    throw new Error(`the manifests give ${question.service} no ${question.kind} in ${question.family}`);
  }
  const from = question.kind === 'ClusterIP' ? world.pod('toolbox') : world.client('client');
  return world.requests(from, frontend, question.count);
}

interface Answered {
  readonly kind: FrontendKind;
  readonly family: Family;
  readonly results: readonly RequestResult[];
}

/** A pod keeps its address; who comes from outside appears as the node, so that the answer finds the way back. */
function checkWeb(world: World, { kind, family, results }: Answered): readonly Check[] {
  const source = kind === 'ClusterIP' ? 'toolbox' : 'node1';
  return [
    {
      what: `pods of shop/web through ${kind} ${family}`,
      expected: 'web-0 2  web-1 2  web-2 2',
      found: tally(results),
    },
    checkSource(`shop/web through ${kind} ${family}`, source, { world, results }),
  ];
}

/** Policy Local: a client outside keeps its address and reaches pods of the node it came to. */
function checkDNS(world: World, { kind, family, results }: Answered): readonly Check[] {
  const source = kind === 'ClusterIP' ? 'toolbox' : 'client';
  const expected = kind === 'ClusterIP' ? 'dns-0 2  dns-1 2' : 'dns-0 4';
  return [
    { what: `pods of shop/dns through ${kind} ${family}`, expected, found: tally(results) },
    checkSource(`shop/dns through ${kind} ${family}`, source, { world, results }),
  ];
}

function checkSource(
  what: string,
  expected: string,
  { world, results }: { readonly world: World; readonly results: readonly RequestResult[] },
): Check {
  const owners = new Set(sources(results).map((source) => ownerOf(source, world) ?? source));
  return { what: `whose address ${what} saw`, expected, found: [...owners].join(' ') };
}

function pods(results: readonly RequestResult[]): string {
  return [...new Set(results.map(podOf))].sort().join(' ');
}

/** `client 203.0.113.2`: whose address it is, and the address. */
function seen(results: readonly RequestResult[], world: World): string {
  const owners = new Map<string, string[]>();
  for (const source of sources(results)) {
    const owner = ownerOf(source, world) ?? 'unknown';
    owners.set(owner, [...(owners.get(owner) ?? []), source]);
  }
  return [...owners].map(([owner, addresses]) => `${owner} ${addresses.join(' ')}`).join(', ');
}

/** A node has, besides its own address, one on the wire of each pod: towards its own pods, masquerade chooses that. */
function ownerOf(address: string, world: World): string | undefined {
  const node = world.node('node1');
  const places: readonly Place[] = [world.pod('toolbox'), world.client('client'), node];
  const owner = places.find(({ addresses }) => families.some((family) => addresses[family].includes(address)));
  return families.some((family) => node.podGateway[family] === address) ? node.name : owner?.name;
}
