import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Agent, startAgent } from './agent.ts';
import { type Family, makeManifestFolder } from './manifests.ts';
import {
  type Case,
  cases,
  type Expectation,
  expectationOf,
  type FrontendKind,
  families,
  frontendKinds,
  keysOf,
  matrixManifests,
  placesOf,
  protocols,
  type SourceName,
  sources,
} from './matrix.ts';
import type { Outcome, Request } from './traffic/peer.ts';
import { addressesOf, inside, isAddressOf, makeWorld, nodeNames, podRanges, type World } from './world.ts';

describe.each(['address', 'route'])('with --vip-mode=%s', (mode) => {
  let world: World;
  let agents: readonly Agent[] = [];

  beforeAll(async () => {
    world = await makeWorld();
    // A server of the node itself, on every address: no VIP may lead to it.
    await world.peer.serve({ namespace: 'node1', name: 'the-node', port: 9999, protocols });
    const folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'frontends-')));
    await folder.write('matrix.json', matrixManifests());
    const flags = [`--cluster-cidr=${podRanges}`, `--vip-mode=${mode}`];
    agents = nodeNames.map((node) => startAgent({ node, manifests: folder.path, flags }));
    await Promise.all(agents.map((agent) => agent.synced));
  }, 60_000);

  afterAll(async () => {
    await Promise.all(agents.map((agent) => agent.end('SIGTERM')));
    await world.remove();
  });

  describe.each(cases)('a Service with policy $policy and $placement', (one) => {
    it.each(keysOf(sources))('answers %s through every frontend as the API promises', async (source) => {
      const rows = frontendKinds.flatMap((frontend) => rowsOf(one, frontend, source));
      const seen = await askAll(world, rows);
      expect(seen).toEqual(rows.map((row) => `${row.name}: ${describeExpectation(row.expectation)}`));
    });
  });

  it('lets a pod reach itself, which then sees the node and not itself', async () => {
    const one: Case = { policy: 'Cluster everywhere', placement: 'an endpoint on node1' };
    const requests = combinations.flatMap(({ family, protocol }) =>
      frontendKinds.flatMap((frontend) =>
        placesOf(one, frontend, 'node1', family).map(
          (place): Request => ({ namespace: 'near', protocol, ...place, patienceMs }),
        ),
      ),
    );
    const outcomes = (await world.peer.askAll(requests)).flat();
    expect(outcomes.map((outcome) => ('pod' in outcome ? outcome.pod : outcome.failure))).toEqual(
      requests.map(() => 'near'),
    );
    expect(outcomes.filter((outcome) => 'saw' in outcome && !isAddressOf('node1', outcome.saw))).toEqual([]);
  });

  describe.each(keysOf(sources))('keeps %s', (source) => {
    it('from the servers of the node through other ports of a VIP', async () => {
      const vips = combinations.flatMap(({ family, protocol }) =>
        vipFrontends.map((frontend) => ({ protocol, address: addressOf(frontend, family) })),
      );
      const { place, node } = sources[source];
      const port = node === 'node1' ? 9999 : 9998;
      const requests = vips.map((vip): Request => ({ namespace: place, ...vip, port, patienceMs }));
      const outcomes = (await world.peer.askAll(requests)).flat();
      expect(outcomes).toEqual(requests.map(() => ({ failure: 'ECONNREFUSED' })));
    });

    it('free to ping every VIP', async () => {
      const addresses = families.flatMap((family) => vipFrontends.map((frontend) => addressOf(frontend, family)));
      for (const address of addresses) {
        const said = await inside(sources[source].place, 'ping', '-c1', '-W2', address);
        expect(said).toContain('1 received');
      }
    });
  });

  it('leaves the servers of the node reachable at the addresses of the node', async () => {
    const requests = families.flatMap((family) =>
      addressesOf('node1', family).map(
        (address): Request => ({ namespace: 'client', protocol: 'TCP', address, port: 9999, patienceMs }),
      ),
    );
    const outcomes = (await world.peer.askAll(requests)).flat();
    expect(outcomes.map((outcome) => 'pod' in outcome && outcome.pod)).toEqual(requests.map(() => 'the-node'));
  });
});

/** Long enough for a loaded machine; an answer that is to come ends the wait. */
const patienceMs = 5_000;
/** A packet that is dropped brings nothing, however long one waits. */
const silenceMs = 300;

const vipFrontends = ['ClusterIP', 'external IP', 'load-balancer IP'] as const;

const combinations = families.flatMap((family) => protocols.map((protocol) => ({ family, protocol })));

function addressOf(frontend: FrontendKind, family: Family): string {
  const place = placesOf(
    { policy: 'Cluster everywhere', placement: 'endpoints on both nodes' },
    frontend,
    'node1',
    family,
  );
  return place[0]?.address ?? '';
}

/** What one source asks of one frontend in one family over one protocol, at each of its addresses. */
interface Row {
  readonly name: string;
  readonly frontend: FrontendKind;
  readonly source: SourceName;
  readonly expectation: Expectation;
  readonly requests: readonly Request[];
}

function rowsOf(one: Case, frontend: FrontendKind, source: SourceName): readonly Row[] {
  const expectation = expectationOf(one, frontend, source);
  const { place, node } = sources[source];
  return combinations.map(({ family, protocol }) => ({
    name: `${frontend} ${family} ${protocol}`,
    frontend,
    source,
    expectation,
    requests: placesOf(one, frontend, node, family).map((to) => ({
      namespace: place,
      protocol,
      ...to,
      // Round robin: two requests show both endpoints.
      count: typeof expectation === 'string' ? 1 : 2,
      patienceMs: expectation === 'dropped' ? silenceMs : patienceMs,
    })),
  }));
}

/** Silence and refusals all at once; answers frontend by frontend, since frontends may share a virtual server. */
async function askAll(world: World, rows: readonly Row[]): Promise<readonly string[]> {
  const seen = new Map<Row, string>();
  const groups = [
    rows.filter(({ expectation }) => typeof expectation === 'string'),
    ...frontendKinds.map((kind) => rows.filter((row) => row.frontend === kind && typeof row.expectation !== 'string')),
  ];
  for (const group of groups) {
    const answers = await world.peer.askAll(group.flatMap(({ requests }) => requests));
    let next = 0;
    for (const row of group) {
      const outcomes = answers.slice(next, next + row.requests.length).flat();
      next += row.requests.length;
      seen.set(row, `${row.name}: ${describeOutcomes(outcomes, row.source)}`);
    }
  }
  return rows.map((row) => seen.get(row) ?? row.name);
}

function describeExpectation(expectation: Expectation): string {
  if (typeof expectation === 'string') {
    return expectation;
  }
  const pods = [...expectation.pods].sort().join(' and ');
  return `${pods} saw ${expectation.masqueraded ? 'the node' : 'the client itself'}`;
}

function describeOutcomes(outcomes: readonly Outcome[], source: SourceName): string {
  const failures = outcomes.flatMap((outcome) => ('failure' in outcome ? [describeFailure(outcome.failure)] : []));
  if (failures.length > 0) {
    return [...new Set(failures)].sort().join(' and ');
  }
  const answers = outcomes.flatMap((outcome) => ('pod' in outcome ? [outcome] : []));
  const pods = [...new Set(answers.map(({ pod }) => pod))].sort().join(' and ');
  const seen = [...new Set(answers.map(({ saw }) => describeSource(saw, source)))].sort().join(' and ');
  return `${pods} saw ${seen}`;
}

function describeFailure(failure: string): string {
  const names: Readonly<Record<string, string>> = { ECONNREFUSED: 'refused', silence: 'dropped' };
  return names[failure] ?? failure;
}

function describeSource(saw: string, source: SourceName): string {
  const { node, place } = sources[source];
  if (isAddressOf(node, saw)) {
    return 'the node';
  }
  return isAddressOf(place, saw) ? 'the client itself' : saw;
}
