import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execaSync } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPodRecords } from '../../../src/app/direct-return/pod-records.ts';
import { restoreAllPods } from '../../../src/app/direct-return/restore-all.ts';
import { openPodNetwork } from '../../../src/kernel/pod-network/open-pod-network.ts';
import { openReversePath } from '../../../src/kernel/reverse-path/open-reverse-path.ts';
import { type RuntimeServer, servedSandbox, serveRuntime } from '../../cri/runtime-server.ts';
import { listPod } from '../../support/pod-listing.ts';

const program = fileURLToPath(new URL('keep-pods.ts', import.meta.url));
const addresses = ['10.1.0.2', '10.1.0.3', '10.1.0.4'];
let folder: string;
let runtime: RuntimeServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-crash-'));
  runtime = await serveRuntime(join(folder, 'runtime.sock'));
  for (const address of addresses) makePod(address);
});
afterAll(() => {
  runtime.close();
  for (const address of addresses) execaSync('ip', ['netns', 'delete', nameOf(address)]);
  rmSync(folder, { recursive: true });
});

function nameOf(address: string): string {
  return `pod-${address.split('.').at(-1) ?? ''}`;
}

function makePod(address: string): void {
  const name = nameOf(address);
  execaSync('ip', ['netns', 'add', name]);
  for (const words of ['link set lo up', 'link add eth0 type dummy', 'link set eth0 up']) {
    execaSync('ip', ['-n', name, ...words.split(' ')]);
  }
  execaSync('ip', ['-n', name, 'address', 'add', `${address}/24`, 'dev', 'eth0']);
  const sandbox = servedSandbox({ id: name, name, addresses: [address], networkNamespace: `/var/run/netns/${name}` });
  runtime.sandboxes.set(name, sandbox);
}

/** Lets pods be prepared and restored, and kills whoever does it somewhere on the way. */
async function killSomewhere(delayMs: number): Promise<string> {
  const records = join(folder, 'records');
  const child = spawn(process.execPath, ['--import', 'tsx', program, runtime.socket, records, ...addresses], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await expect.poll(() => said, { timeout: 60_000 }).toContain('prepared');
  await sleep(delayMs);
  child.kill('SIGKILL');
  await once(child, 'close');
  return said;
}

it('a kill at any moment leaves pods that can be restored to what they were', async () => {
  const listings = (): readonly string[] => addresses.map((address) => listPod(`/run/netns/${nameOf(address)}`));
  const before = listings();
  const prepared: number[] = [];
  for (const delayMs of [7, 61, 113, 241]) {
    const said = await killSomewhere(delayMs);
    expect(said).not.toContain('Error');
    prepared.push(said.split('prepared').length - 1);
  }
  expect(Math.min(...prepared)).toBeGreaterThan(0);
  const reversePath = openReversePath();
  const work = { network: openPodNetwork(), reversePath, records: openPodRecords(join(folder, 'records')) };
  expect(restoreAllPods(work).failed).toEqual([]);
  expect(listings()).toEqual(before);
  expect(readdirSync(join(folder, 'records')).filter((name) => name.endsWith('.json'))).toEqual([]);
  expect(restoreAllPods(work)).toEqual({ restored: [], failed: [] });
}, 240_000);
