/** An agent on a node that another version of sluice worked on: its table differs, what it made stays in use and stays ours. */

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { output } from '../lab/execute.ts';
import { type Listing, listing } from '../lab/state/listing.ts';
import { clusterRanges } from '../lab/world/places.ts';
import { createWorld, type World } from '../lab/world.ts';
import { type Agent, runSluice, startAgent } from './agent.ts';
import { type ManifestFolder, makeManifestFolder } from './manifests.ts';
import { packetManifests } from './packets/services.ts';

let world: World;
let folder: ManifestFolder;
let agent: Agent | undefined;
let before: Listing;

beforeAll(async () => {
  world = await createWorld({ nodes: [{ name: 'node1' }] });
  // Duplicate address detection of the world's own addresses.
  await sleep(2_000);
  before = await listing(world.node('node1'));
  folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'upgrade-')));
  await folder.write('services.json', packetManifests());
  agent = start();
  await agent.synced;
  await agent.end('SIGKILL');
});

afterAll(async () => {
  await agent?.end('SIGKILL');
  await world.remove();
});

describe('an agent after one of another version', () => {
  it('makes sets of another type anew and finds everything of the other in its record', async () => {
    const programmed = await state();
    expect(programmed.ipvs.length).toBeGreaterThan(100);
    await makeOlder();
    agent = start();
    const { operations } = await agent.synced;
    expect(agent.log.filter(({ msg, level }) => msg !== '' && level === 'error')).toEqual([]);
    expect(operations).toBe(0);
    expect(await state()).toEqual(programmed);
  });

  it('removes what no Service wants any more, and leaves nothing behind after cleanup by still another version', async () => {
    await folder.write('services.json', []);
    await agent?.line((line) => line['trigger'] === 'change');
    expect((await state()).ipvs).toEqual(before.ipvs);
    await folder.write('services.json', packetManifests());
    await agent?.end('SIGTERM');
    agent = start();
    await agent.synced;
    await agent.end('SIGTERM');
    await makeOlder();
    await run('nft', 'flush chain inet sluice unallocated; flush chain inet sluice before_ipvs_from_node');
    await run('nft', 'delete set inet sluice service_ranges4');
    expect((await clean()).status).toBe(0);
    expect(await listing(world.node('node1'))).toEqual(before);
  });
});

/** The same table, as a version may have made it that had the fields of its keys in another order. */
async function makeOlder(): Promise<void> {
  const text = await run('nft', 'list table inet sluice');
  const older = text
    .replace(
      /set virtual_servers4 \{\s+type ipv4_addr \. inet_proto \. inet_service/,
      'set virtual_servers4 { type inet_proto . ipv4_addr . inet_service',
    )
    .replace(/chain loaded_text \{\s+comment "\w+"/, 'chain loaded_text { comment "older"');
  const set = /set virtual_servers4 \{[^{}]*\{([^{}]*)\}/.exec(older);
  const elements = set?.[1] ?? '';
  const turned = elements.replaceAll(/([\d.]+) \. (\w+) \. (\d+)/g, '$2 . $1 . $3');
  expect(turned).not.toBe(elements);
  await output('node1', ['nft', '-f', '-'], `delete table inet sluice\n${older.replace(elements, turned)}\n`);
}

/** Without the table, which the other version has in another form. */
async function state(): Promise<Omit<Listing, 'nftables'>> {
  const { nftables: _, ...rest } = await listing(world.node('node1'));
  return rest;
}

function start(): Agent {
  return startAgent({ node: 'node1', manifests: folder.path, flags });
}

const flags = [`--cluster-cidr=${clusterRanges}`];

function clean(): ReturnType<typeof runSluice> {
  return runSluice({ node: 'node1', manifests: folder.path }, 'cleanup');
}

function run(program: string, words: string): Promise<string> {
  return output('node1', [program, words]);
}
