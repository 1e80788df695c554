/** How long the image takes from the start of its process until Services are in force, on a node that knows them already. */

import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { output } from '../lab/execute.ts';
import { createWorld, type World } from '../lab/world.ts';
import { endpointSlice, type ManifestFolder, makeManifestFolder, nodeObject, service } from '../scenarios/manifests.ts';
import { type ContainerInput, containerCommand, type UnpackedImage, unpackImage } from './container.ts';

const services = 1_000;
const ports = [{ name: '', protocol: 'TCP', port: 80 }] as const;
/**
 * Node.js itself, in the same container, is what the kernel and the machine of the tests make of a start; on hardware it
 * takes 40 ms.
 */
const limitInStartsOfNode = 8;

let world: World;
let image: UnpackedImage;
let manifests: ManifestFolder;

beforeAll(async () => {
  world = await createWorld({ nodes: [{ name: 'node1' }] });
  image = await unpackImage();
  manifests = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'start-manifests-')));
  await chmod(manifests.path, 0o755);
  await manifests.write('node.json', [nodeObject('node1', ['192.0.2.10'])]);
  await manifests.write('many.json', Array.from({ length: services }, (_, index) => web(index)).flat());
});

afterAll(() => world.remove());

it('has a new Service in force soon after its start, beside 1,000 that were there', async () => {
  await millisecondsUntilInForce(0);
  await manifests.write('one.json', web(services));
  const node = Math.min(...(await repeated(5, millisecondsOfNode)));
  const agent = Math.min(...(await repeated(3, () => millisecondsUntilInForce(services))));
  console.info(`start-up: ${agent} ms until the new Service is in force; Node.js alone starts in ${node} ms`);
  expect(agent).toBeLessThan(limitInStartsOfNode * node);
});

/** Starts the agent, ends it when it is in step and asserts that it has programmed that Service. */
async function millisecondsUntilInForce(index: number): Promise<number> {
  const flags = ['--manifests=/manifests', '--hostname-override=node1', '--cluster-cidr=10.1.0.0/16'];
  const command = await containerCommand(contained(['run', ...flags]));
  const started = performance.now();
  const container = world.start(world.node('node1'), command);
  while (!container.output().includes('"synced"')) {
    if (performance.now() - started > 60_000) throw new Error(`not in step after a minute:\n${container.output()}`);
    await sleep(5);
  }
  const milliseconds = Math.round(performance.now() - started);
  await container.end();
  expect(await output('node1', ['ipvsadm', '-Ln', '-t', `${addressOf(index)}:80`])).toContain('10.1.0.2:80');
  return milliseconds;
}

async function millisecondsOfNode(): Promise<number> {
  const command = await containerCommand({
    ...contained(['--eval', '']),
    image: { ...image, entrypoint: ['/usr/bin/node'] },
  });
  const started = performance.now();
  await output('-', command);
  return Math.round(performance.now() - started);
}

async function repeated(times: number, measure: () => Promise<number>): Promise<readonly number[]> {
  const found: number[] = [];
  for (let done = 0; done < times; done += 1) found.push(await measure());
  return found;
}

/** With the rights of the manifest. */
function contained(args: readonly string[]): ContainerInput {
  return { node: 'node1', image, args, capabilities: ['CAP_NET_ADMIN'], mounts: { '/manifests': manifests.path } };
}

function addressOf(index: number): string {
  return `10.96.${Math.floor(index / 250)}.${(index % 250) + 1}`;
}

function web(index: number): readonly object[] {
  const name = `web-${index}`;
  return [
    service({ name, clusterIPs: [addressOf(index)], ports }),
    endpointSlice({ service: name, family: 'IPv4', ports, endpoints: [{ address: '10.1.0.2' }] }),
  ];
}
