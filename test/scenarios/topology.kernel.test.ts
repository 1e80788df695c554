import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterRanges, podPort } from '../lab/world/places.ts';
import type { World } from '../lab/world.ts';
import { type Agent, startAgent } from './agent.ts';
import {
  type EndpointInput,
  endpointSlice,
  type ManifestFolder,
  makeManifestFolder,
  nodeObject,
  service,
} from './manifests.ts';
import { answerer, ask, makeTwoNodes, nodeAddresses, pods } from './two-nodes.ts';

let world: World;
let folder: ManifestFolder;
let agent: Agent;

/** Another Service, whose endpoints have no hints. */
const bystander = '10.96.0.2';
const hinted = '10.96.0.1';

beforeAll(async () => {
  world = await makeTwoNodes();
  folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'topology-')));
  await folder.write('bystander.json', serve('bystander', bystander, [{ address: pods.near.IPv4, nodeName: 'node1' }]));
  await label('zone-a');
  await hint({ zones: ['zone-a'] }, { zones: ['zone-b'] });
  agent = startAgent({ node: 'node1', manifests: folder.path, flags: [`--cluster-cidr=${clusterRanges}`] });
  await agent.synced;
}, 60_000);

afterAll(async () => {
  await agent.end('SIGTERM');
  await world.remove();
});

describe('hints for zones', () => {
  it('lead to the endpoints of the zone that the Node is in, and follow its label', async () => {
    await expectPods(['near']);
    await label('zone-b');
    await expectPods(['far']);
    await label('zone-c');
    await expectPods(['far', 'near']);
    await label('zone-a');
    await expectPods(['near']);
    await label(undefined);
    await expectPods(['far', 'near']);
  });

  it('count no more when one endpoint has none', async () => {
    await label('zone-a');
    await expectPods(['near']);
    await hint({ zones: ['zone-a'] }, undefined);
    await expectPods(['far', 'near']);
  });

  it('touch no other Service when the label changes', async () => {
    await hint({ zones: ['zone-a'] }, { zones: ['zone-b'] });
    await expectPods(['near']);
    const changes = (): readonly unknown[] => agent.log.filter((line) => line['trigger'] === 'context');
    const before = changes().length;
    await label('zone-b');
    await expectPods(['far']);
    // One destination comes and one goes.
    expect(changes().slice(before)).toEqual([expect.objectContaining({ operations: 2 })]);
    await expectPods(['near'], bystander);
  });
});

describe('hints for nodes', () => {
  it('go before those for zones', async () => {
    await label('zone-a');
    await hint({ zones: ['zone-a'], nodes: ['node2'] }, { zones: ['zone-b'], nodes: ['node1'] });
    await expectPods(['far']);
    await hint({ zones: ['zone-a'], nodes: ['node2'] }, { zones: ['zone-b'], nodes: ['node2'] });
    await expectPods(['near']);
  });
});

async function label(zone: string | undefined): Promise<void> {
  await folder.write('node.json', [nodeObject('node1', [nodeAddresses.node1.IPv4], zone)]);
}

async function hint(near: EndpointInput['hints'], far: EndpointInput['hints']): Promise<void> {
  const endpoints = [
    { address: pods.near.IPv4, nodeName: 'node1', ...(near === undefined ? {} : { hints: near }) },
    { address: pods.far.IPv4, nodeName: 'node2', ...(far === undefined ? {} : { hints: far }) },
  ];
  await folder.write('hinted.json', serve('hinted', hinted, endpoints));
}

function serve(name: string, clusterIP: string, endpoints: readonly EndpointInput[]): readonly object[] {
  const port = { name: 'web', protocol: 'TCP' } as const;
  return [
    service({ name, clusterIPs: [clusterIP], ports: [{ ...port, port: 80 }] }),
    endpointSlice({ service: name, family: 'IPv4', ports: [{ ...port, port: podPort }], endpoints }),
  ];
}

/** Who answers four requests in a row of a pod on the node, within a second. */
async function expectPods(expected: readonly string[], address = hinted): Promise<void> {
  const question = { from: 'idle-near', protocol: 'TCP', address, port: 80, count: 4, patienceMs: 500 } as const;
  const answering = async (): Promise<readonly string[]> => {
    const results = await ask(world, question);
    return [...new Set(results.map((result) => answerer(result)))].sort();
  };
  await expect.poll(answering, { timeout: 2_000, interval: 20 }).toEqual(expected);
}
