import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { clusterRanges, podPort } from '../lab/world/places.ts';
import type { World } from '../lab/world.ts';
import { type Agent, startAgent } from './agent.ts';
import { endpointSlice, makeManifestFolder, nodeObject, service } from './manifests.ts';
import { ask, inside, makeTwoNodes, nodeAddresses, pods } from './two-nodes.ts';

const vip = '10.96.0.1';

let world: World;
let folder: string;
const started: Agent[] = [];

beforeAll(async () => {
  world = await makeTwoNodes();
  folder = await mkdtemp(join(tmpdir(), 'last-known-'));
}, 60_000);

afterAll(async () => {
  await Promise.all(started.map((agent) => agent.end('SIGKILL')));
  await world.remove();
});

it('a node that starts again without its API server serves what it last knew, but for the pods it had', async () => {
  const state = join(folder, 'state');
  const flags = [`--cluster-cidr=${clusterRanges}`, `--last-known-state=${state}`];
  const manifests = await makeManifestFolder(join(folder, 'manifests'));
  await manifests.write('services.json', objects());
  const before = startAgent({ node: 'node1', manifests: manifests.path, flags });
  started.push(before);
  await before.synced;
  await vi.waitFor(() => expect(existsSync(state)).toBe(true), { timeout: 20_000, interval: 200 });
  await before.end('SIGKILL');
  await loseEverything();
  const after = startAgent({ node: 'node1', flags: [...flags, '--master=http://127.0.0.1:1'] });
  started.push(after);
  const line = await after.line((each) => each['writtenAt'] !== undefined, 40_000);
  expect(line['msg']).toBe('the API server does not answer; programming the last known state, which may be stale');
  await after.synced;
  const listing = await inside('node1', 'ipvsadm', '-Sn');
  expect(listing).toContain(`-a -t ${vip}:80 -r ${pods.far.IPv4}:${podPort}`);
  expect(listing).not.toContain(pods.near.IPv4);
  const question = { from: 'idle-near', protocol: 'TCP', address: vip, port: 80, patienceMs: 3_000 } as const;
  expect(await ask(world, question)).toMatchObject([{ answeredBy: 'far' }]);
});

/** What a reboot takes. */
async function loseEverything(): Promise<void> {
  await inside('node1', 'ipvsadm', '-C');
  await inside('node1', 'nft', 'delete', 'table', 'inet', 'sluice');
  await inside('node1', 'ip', 'link', 'delete', 'kube-dummy-if');
}

function objects() {
  const port = { name: 'http', protocol: 'TCP' } as const;
  return [
    nodeObject('node1', Object.values(nodeAddresses.node1)),
    service({ name: 'web', clusterIPs: [vip], ports: [{ ...port, port: 80 }] }),
    endpointSlice({
      service: 'web',
      family: 'IPv4',
      ports: [{ ...port, port: podPort }],
      endpoints: [
        { address: pods.near.IPv4, nodeName: 'node1' },
        { address: pods.far.IPv4, nodeName: 'node2' },
      ],
    }),
  ];
}
