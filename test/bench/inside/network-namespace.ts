/**
 * Network namespaces for the rounds. Each round has a fresh one: a table that was cleared keeps its destinations in a
 * list of the dead for minutes, and every added destination is looked for in it (ip_vs_trash_get_dest in
 * net/netfilter/ipvs/ip_vs_ctl.c).
 */

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { nodeAddresses } from './world.ts';

let made = 0;

/** Runs `use` with the name of a fresh namespace that looks like a node, and removes it. */
export async function inFreshNamespace<T>(use: (namespace: string) => Promise<T>): Promise<T> {
  made += 1;
  const namespace = `bench-${process.pid}-${made}`;
  await execa('ip', ['netns', 'add', namespace]);
  try {
    await execa('ip', ['-n', namespace, '-batch', '-'], { input: nodeCommands });
    await quiet();
    return await use(namespace);
  } finally {
    await execa('ip', ['netns', 'del', namespace]);
    await quiet();
  }
}

export function namespaceCommand(namespace: string, command: readonly string[]): [string, ...string[]] {
  return ['ip', 'netns', 'exec', namespace, ...command];
}

const nodeCommands = `
link set lo up
link add node type dummy
link set node up
addr add ${nodeAddresses.IPv4}/24 dev node
addr add ${nodeAddresses.IPv6}/64 dev node nodad
route add default via 192.168.50.254 dev node
`;

/** Waits until the machine has nothing left to do: a removed namespace is taken apart in the background. */
export async function quiet(): Promise<void> {
  const deadline = performance.now() + 60_000;
  let still = 0;
  while (still < 3 && performance.now() < deadline) {
    const before = await idleShare();
    await sleep(100);
    const after = await idleShare();
    const share = (after.idle - before.idle) / Math.max(1, after.all - before.all);
    still = share > 0.8 ? still + 1 : 0;
  }
}

/** Of /proc/stat's first line: idle is the fourth number (proc(5)). */
async function idleShare(): Promise<{ readonly idle: number; readonly all: number }> {
  const line = (await readFile('/proc/stat', 'utf8')).split('\n', 1)[0] ?? '';
  const numbers = line.split(/\s+/).slice(1).map(Number);
  return { idle: numbers[3] ?? 0, all: numbers.reduce((sum, number) => sum + number, 0) };
}
