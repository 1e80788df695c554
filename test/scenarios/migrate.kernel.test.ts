/** A node whose VIPs are still on kube-proxy's interface too: sluice takes them over without a gap. */

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { output } from '../lab/execute.ts';
import { clusterRanges } from '../lab/world/places.ts';
import { createWorld, type World } from '../lab/world.ts';
import { type Agent, runSluice, startAgent } from './agent.ts';
import { endpointSlice, makeManifestFolder, service } from './manifests.ts';

const vip = '10.96.0.80';
const target = { protocol: 'TCP', address: vip, port: 80 } as const;

let world: World;
let input: Parameters<typeof startAgent>[0];
let agent: Agent | undefined;

beforeAll(async () => {
  world = await createWorld({ nodes: [{ name: 'node1', pods: ['pod-a'] }], clients: ['client'] });
  const folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'migrate-')));
  const port = { name: 'http', protocol: 'TCP', port: 80 } as const;
  const endpoints = [{ address: '10.1.0.2', nodeName: 'node1' }];
  await folder.write('web.json', [
    service({ name: 'web', clusterIPs: [vip], ports: [port] }),
    endpointSlice({ service: 'web', family: 'IPv4', ports: [{ ...port, port: 8080 }], endpoints }),
  ]);
  const flags = [`--cluster-cidr=${clusterRanges}`];
  input = { node: 'node1', manifests: folder.path, flags };
  for (const line of kubeProxy) await output('node1', line.split(' '));
});

afterAll(async () => {
  await agent?.end('SIGKILL');
  await world.remove();
});

it('from-kube-proxy waits until sluice stands, and then no connection and no request is lost', async () => {
  const connection = world.traffic.connect('client', target, { intervalMs: 100 });
  await connection.next();
  const requests = world.traffic.stream('client', target, { intervalMs: 50 });
  expect((await runSluice(input, 'migrate', 'from-kube-proxy')).stderr).toContain('operations outstanding');
  agent = startAgent(input);
  await agent.synced;
  expect((await runSluice(input, 'migrate', 'plan')).stdout).toContain('in the kernel: in sync');
  const { status, stdout } = await runSluice(input, 'migrate', 'from-kube-proxy', '-o', 'json');
  expect({ status, report: JSON.parse(stdout) as unknown }).toEqual({
    status: 0,
    report: { removed: [`virtual server TCP ${vip}:81`, 'interface kube-ipvs0'], kept: [], failed: [] },
  });
  await sleep(1_000);
  await Promise.all([connection.stop(), requests.stop()]);
  expect(requests.results.length).toBeGreaterThan(20);
  expect([...connection.failures, ...requests.failures]).toEqual([]);
});

/** What kube-proxy's ipvs mode leaves of one Service and of a port that it has no more. */
const kubeProxy = [
  'ip link add kube-ipvs0 type dummy',
  `ip address add ${vip}/32 dev kube-ipvs0`,
  `ipvsadm -A -t ${vip}:80 -s rr`,
  `ipvsadm -a -t ${vip}:80 -r 10.1.0.2:8080 -m`,
  `ipvsadm -A -t ${vip}:81 -s rr`,
];
