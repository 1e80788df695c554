/** What is said at the start where something is missing, by the program as installed. */

import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { output } from '../lab/execute.ts';
import { type Agent, type AgentInput, runSluice, startAgent } from './agent.ts';
import { makeManifestFolder, nodeObject } from './manifests.ts';

const node = 'lonely';
const address = '192.0.2.1';

let folder = '';
let agent: Agent | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'start-errors-'));
  await output('-', ['ip', 'netns', 'add', node]);
});

afterAll(async () => {
  await output('-', ['ip', 'netns', 'delete', node]);
});

beforeEach(async () => {
  await output(node, ['ip', 'link', 'set', 'lo', 'up']);
  await output(node, ['ip', 'address', 'replace', `${address}/32`, 'dev', 'lo']);
  // An agent leaves its table, also one that never knew of a Service.
  await output(node, ['nft', 'flush', 'ruleset']);
});

afterEach(async () => {
  await agent?.end('SIGTERM');
  agent = undefined;
});

/** Nobody waits for its first sync where there is none. */
function start(input: AgentInput): Agent {
  const started = startAgent(input);
  started.synced.catch(() => {});
  return started;
}

/** A kubeconfig of an API server that is not there. */
async function kubeconfig(): Promise<string> {
  const file = join(folder, 'kubeconfig');
  const config = {
    clusters: [{ name: 'c', cluster: { server: `https://${address}:6443`, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token: 'none' } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'c',
  };
  await writeFile(file, JSON.stringify(config));
  return file;
}

describe('without an API server', () => {
  it('the agent says where it asked and what to look at, and goes on asking', async () => {
    agent = start({ node, flags: [`--kubeconfig=${await kubeconfig()}`] });
    const line = await agent.line(({ kind, reason }) => kind === 'Service' && reason === 'unreachable', 30_000);
    expect(line).toMatchObject({
      level: 'warn',
      message: `connect ECONNREFUSED ${address}:6443`,
      remedy: expect.stringMatching(/^See that --master or the kubeconfig names an address .* not its ClusterIP/),
      msg: 'nothing is known of this kind yet; what is programmed stays, and it is tried again',
    });
    expect(
      await output(node, ['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', 'http://127.0.0.1:10256/livez']),
    ).toBe('200');
  });

  it('the table is loaded meanwhile, with nothing in it, and connections are made as before', async () => {
    agent = start({ node, flags: [`--kubeconfig=${await kubeconfig()}`] });
    const table = () => output(node, ['nft', 'list', 'table', 'inet', 'sluice']);
    await vi.waitFor(async () => expect(await table()).toContain('chain before_ipvs'), 20_000);
    expect(await table()).not.toContain('elements');
    await agent.line(({ kind, reason }) => kind === 'Service' && reason === 'unreachable', 30_000);
    expect(await output(node, ['ipvsadm', '-Sn'])).toBe('');
    expect(
      await output(node, ['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', `http://${address}:10256/livez`]),
    ).toBe('200');
  });

  it('a command for people says the same and ends', async () => {
    const { status, stdout, stderr } = await runSluice({ node, flags: [`--kubeconfig=${await kubeconfig()}`] }, 'plan');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(
      /^sluice: expected the complete lists of Services and EndpointSlices within 30 s, found Service: connect ECONNREFUSED 192\.0\.2\.1:6443; .*\. See that --master or the kubeconfig names an address of the API server that works/,
    );
  });

  it('and without any credentials both kinds of them are named', async () => {
    agent = start({ node });
    const line = await agent.line(({ reason }) => reason === 'credentials-unusable', 30_000);
    expect(line).toMatchObject({
      message: expect.stringMatching(/expected a kubeconfig, or the token of a ServiceAccount in \S+, found neither$/),
      remedy: expect.stringMatching(/^Give --kubeconfig, run it in a pod with a ServiceAccount, or give --manifests/),
    });
  });
});

describe('without nft', () => {
  it('the agent names the program and the package, and begins when it is there', async () => {
    const made = await makeManifestFolder(join(folder, 'manifests'));
    await made.write('objects.json', [nodeObject(node, [address])]);
    const programs = join(folder, 'programs');
    await output('-', ['mkdir', programs]);
    agent = start({ node, manifests: made.path, path: programs });
    const line = await agent.line(({ msg }) => msg === 'could not program the kernel for the first time', 30_000);
    expect(line['err']).toMatchObject({
      code: 'nft-missing',
      message: expect.stringMatching(
        /^expected the program nft in PATH, which loads the nftables table, found none; install the package nftables/,
      ),
    });
    await output('-', ['ln', '-s', (await output('-', ['which', 'nft'])).trim(), `${programs}/nft`]);
    expect(await agent.synced).toMatchObject({ trigger: 'start' });
  });
});
