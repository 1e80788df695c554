/**
 * What the program as installed says on a kernel that has no IPVS: the test kernel, which leaves it out when it starts.
 * Always that kernel, also where the host's own serves the lab.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build } from '../build/build.ts';
import { runUnderUserModeLinux } from '../lab/machine/user-mode-linux.ts';
import { kernelPath, kernelStep } from '../prerequisites/kernel.ts';
import { packagesStep } from '../prerequisites/packages.ts';
import { runSteps } from '../prerequisites/steps.ts';
import { bundle } from './agent.ts';
import { makeManifestFolder, nodeObject } from './manifests.ts';

const commands = ['run', 'plan', 'cleanup', 'migrate plan'];
/** With the kernel, where none is cached yet. */
const preparationLimitMs = 1_800_000;

let folder = '';
let status = -1;

beforeAll(async () => {
  await runSteps([packagesStep, kernelStep]);
  await build(() => {});
  folder = await mkdtemp(join(tmpdir(), 'without-ipvs-'));
  const manifests = await makeManifestFolder(join(folder, 'manifests'));
  await manifests.write('node.json', [nodeObject('lonely', ['192.0.2.1'])]);
  status = await runUnderUserModeLinux(
    await kernelPath(),
    {
      file: 'sh',
      args: ['-c', script(manifests.path)],
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      env: {},
    },
    { memory: '1024M', timeLimitSeconds: 120, results: folder, onOutput: () => {} },
    ['initcall_blacklist=ip_vs_init'],
  );
}, preparationLimitMs);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Leaves what each command says, and its status; before and after them what of the kernel is seen. */
function script(manifests: string): string {
  const flags = `--manifests=${manifests} --hostname-override=lonely`;
  return [
    'cd "$SLUICE_LAB_RESULTS"',
    'ls /proc/net >interfaces',
    ...commands.map((command, index) => {
      const program = `timeout 30 ${process.execPath} ${bundle} ${command} ${flags}`;
      return `${program} >${index}.stdout 2>${index}.stderr; echo $? >${index}.status`;
    }),
    'nft list ruleset >rules && ip -json link >links',
  ].join('\n');
}

function left(name: string): Promise<string> {
  return readFile(join(folder, name), 'utf8');
}

describe('on a kernel without IPVS', () => {
  it.each(commands.map((command, index) => ({ command, index })))(
    'sluice $command ends with what was expected and found, where, and what helps',
    async ({ index }) => {
      expect(await left(`${index}.stderr`)).toMatch(
        /^sluice: expected a kernel with IPVS that this process may use, found: Linux \S+ on lab says resolve generic netlink family IPVS: ENOENT; .*run modprobe ip_vs on th.*\n$/,
      );
      expect(await left(`${index}.status`)).toBe('1\n');
    },
  );

  it('nothing else is begun', async () => {
    expect(status).toBe(0);
    const interfaces = (await left('interfaces')).split('\n');
    expect(interfaces).toContain('nf_conntrack');
    expect(interfaces).not.toContain('ip_vs');
    expect(await left('rules')).toBe('');
    expect(await left('links')).not.toContain('kube-dummy-if');
  });
});
