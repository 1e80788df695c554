import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadModules } from '../../../src/app/host/load-modules.ts';
import { makeLog } from '../../../src/app/log.ts';
import { schedulers } from '../../../src/core/model/virtual-server.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-modules-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What is logged when `modprobe` is a shell script with this body. */
async function load(
  body: string | undefined,
  directReturn = false,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const lines: string[] = [];
  const log = makeLog({ level: 'trace', format: 'json', destination: { write: (text) => lines.push(text) } });
  const program = join(folder, 'modprobe');
  if (body !== undefined) {
    writeFileSync(program, `#!/bin/sh\n${body}\n`);
    chmodSync(program, 0o755);
  }
  await loadModules({ directReturn }, log, program);
  return lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
}

it('asks for IPVS, each scheduler and what else sluice uses, one by one', async () => {
  expect(await load(`echo "$#:$1" >>${folder}/asked`)).toEqual([]);
  const asked = readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n');
  const wanted = [
    'nf_conntrack',
    'nf_conntrack_netlink',
    'nf_tables',
    'dummy',
    'ip_vs',
    ...schedulers.map((name) => `ip_vs_${name}`),
  ];
  expect(asked).toEqual(wanted.map((module) => `1:${module}`));
});

it('asks for the tunnels too where pods answer directly', async () => {
  expect(await load(`echo "$1" >>${folder}/asked`, true)).toEqual([]);
  expect(readFileSync(join(folder, 'asked'), 'utf8')).toMatch(/\nip_vs_twos\nipip\nip6_tunnel\nfou\n$/);
});

it('goes on without a module, and names it with the reason', async () => {
  const lines = await load('[ "$1" != ip_vs_twos ] || { echo "FATAL: Module ip_vs_twos not found." >&2; exit 1; }');
  expect(lines).toMatchObject([{ level: 'info', failed: { ip_vs_twos: 'FATAL: Module ip_vs_twos not found.' } }]);
});

it('says once that there is no modprobe', async () => {
  expect(await load(undefined)).toMatchObject([{ level: 'info', msg: expect.stringContaining('no modprobe here') }]);
});
