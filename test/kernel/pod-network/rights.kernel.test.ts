import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { execaSync } from 'execa';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { listPod } from '../../support/pod-listing.ts';
import { podAddresses } from './contract.ts';

/** What the agent needs to enter and change pods, found by taking rights away. */

const program = fileURLToPath(new URL('prepare.ts', import.meta.url));
const prepared = '198.51.100.7\n2001:db8::7\n';
let count = 0;
let name = '';

beforeEach(() => {
  count += 1;
  name = `pod-rights-${process.pid}-${count}`;
});
afterEach(() => {
  execaSync('ip', ['netns', 'delete', name]);
});

function makePod(): void {
  execaSync('ip', ['netns', 'add', name]);
  for (const words of ['link set lo up', 'link add eth0 type dummy', 'link set eth0 up']) ip(words);
  ip(`address add ${podAddresses[0]}/24 dev eth0`);
  ip(`address add ${podAddresses[1]}/64 dev eth0 nodad`);
}

function ip(words: string): void {
  execaSync('ip', ['-n', name, ...words.split(' ')]);
}

function prepare(): readonly string[] {
  return [process.execPath, '--import', 'tsx', program, `/run/netns/${name}`, ...podAddresses];
}

/** The command line that runs another one with these capabilities alone, as a container that is not privileged. */
function withCapabilities(names: readonly string[], command: readonly string[]): readonly string[] {
  const bounding = ['-all', ...names.map((each) => `+${each}`)].join(',');
  return ['setpriv', '--inh-caps=-all', `--bounding-set=${bounding}`, '--no-new-privs', ...command];
}

function run([file = '', ...args]: readonly string[]): string {
  return `${execaSync(file, args).stdout}\n`;
}

it('NET_ADMIN and SYS_ADMIN are enough', () => {
  makePod();
  const before = listPod(`/run/netns/${name}`);
  expect(run(withCapabilities(['net_admin', 'sys_admin'], prepare()))).toBe(prepared);
  expect(listPod(`/run/netns/${name}`)).toBe(before);
});

it.each([
  [['net_admin'], 'without SYS_ADMIN no namespace is entered'],
  [['sys_admin'], 'without NET_ADMIN nothing is changed in it'],
])('of %s alone is too little: %s', (capabilities) => {
  makePod();
  const before = listPod(`/run/netns/${name}`);
  expect(run(withCapabilities(capabilities, prepare()))).toMatch(/^EPERM: /);
  expect(listPod(`/run/netns/${name}`)).toBe(before);
});

it.each([
  ['HostToContainer', 'slave', /^198\.51\.100\.7\n2001:db8::7\n$/],
  ['None', 'private', /^EINVAL: .*HostToContainer/],
])('with propagation %s of /run/netns pods made later are reached or not', async (_, propagation, expected) => {
  // What makes /run/netns a shared mount, as all of /run is on a node with systemd.
  execaSync('ip', ['netns', 'add', `${name}-first`]);
  const wait = ['sh', '-c', 'read line && exec "$@"', 'sh'];
  const command = ['unshare', '--mount', `--propagation=${propagation}`, ...wait, ...prepare()];
  const [file = '', ...args] = command;
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const said = text(child.stdout);
  // Until it has its own mounts.
  await expect.poll(() => mountNamespaceOf(child.pid)).not.toBe(mountNamespaceOf(process.pid));
  makePod();
  child.stdin.end('go\n');
  expect(await said).toMatch(expected);
  execaSync('ip', ['netns', 'delete', `${name}-first`]);
});

function mountNamespaceOf(pid: number | undefined): string {
  return execaSync('readlink', [`/proc/${pid ?? 0}/ns/mnt`]).stdout;
}
