import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clusterRanges } from '../lab/world/places.ts';
import type { World } from '../lab/world.ts';
import { type Agent, startAgent } from './agent.ts';
import { type ManifestFolder, makeManifestFolder, nodeObject, service } from './manifests.ts';
import { inside, makeTwoNodes, nodeAddresses } from './two-nodes.ts';

let world: World;
let folder: ManifestFolder;
let first: Agent;
const started: Agent[] = [];

beforeAll(async () => {
  world = await makeTwoNodes();
  folder = await folderWith('web', '10.96.0.1');
  first = start(folder);
  await first.synced;
}, 60_000);

afterAll(async () => {
  await Promise.all(started.map((agent) => agent.end('SIGKILL')));
  await world.remove();
});

it('a second agent leaves everything to the first, and takes over when that is killed', async () => {
  const second = start(await folderWith('other', '10.96.0.2'));
  const line = await second.line((each) => each['holder'] !== undefined, 30_000);
  expect(line).toMatchObject({
    holder: expect.stringMatching(/^sluice \S+, process \d+$/),
    msg: 'another agent works in this network namespace; waiting for its end',
  });
  await folder.write('more.json', [web('more', '10.96.0.3')]);
  await first.line((each) => each['trigger'] === 'change');
  expect(await servers()).toEqual(['10.96.0.1:80', '10.96.0.3:80']);
  await first.end('SIGKILL');
  await second.synced;
  expect(await servers()).toEqual(['10.96.0.2:80']);
});

function start(manifests: ManifestFolder): Agent {
  const agent = startAgent({ node: 'node1', manifests: manifests.path, flags: [`--cluster-cidr=${clusterRanges}`] });
  started.push(agent);
  return agent;
}

async function folderWith(name: string, address: string): Promise<ManifestFolder> {
  const made = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'two-agents-')));
  await made.write('services.json', [nodeObject('node1', Object.values(nodeAddresses.node1)), web(name, address)]);
  return made;
}

function web(name: string, address: string) {
  return service({ name, clusterIPs: [address], ports: [{ name: 'http', protocol: 'TCP', port: 80 }] });
}

async function servers(): Promise<readonly string[]> {
  const listing = await inside('node1', 'ipvsadm', '-Sn');
  return [...listing.matchAll(/^-A -t (\S+)/gm)].map(([, server]) => server ?? '').sort();
}
