/** Whether another service proxy still works on this node, and how that was found. */

import { readdir, readFile, readlink } from 'node:fs/promises';
import type { OtherProxy } from '../../core/leftovers/names.ts';

export interface ProxyState {
  readonly state: 'running' | 'stopped' | 'unknown';
  /** For people: what it was decided by. */
  readonly how: string;
}

/**
 * By the processes where the host's are visible, else by the ports that the proxy listens at. sluice itself has
 * kube-proxy's ports: with `isAgentWorking` they say nothing.
 */
export async function proxyState(proxy: OtherProxy, isAgentWorking: boolean): Promise<ProxyState> {
  if (await seesHostProcesses()) {
    const found = await findProcess(proxy);
    return found === undefined
      ? { state: 'stopped', how: `no process ${proxy} in this network namespace` }
      : { state: 'running', how: `process ${found} in this network namespace is ${proxy}` };
  }
  if (proxy === 'kube-proxy' && isAgentWorking) {
    const how = 'the processes of the host cannot be seen from here, and sluice has the ports that would tell';
    return { state: 'unknown', how };
  }
  const taken = await listening(portsOf[proxy]);
  return taken.length > 0
    ? { state: 'running', how: `something listens at port ${taken.join(' and ')}` }
    : { state: 'stopped', how: `nothing listens at port ${portsOf[proxy].join(' or ')}` };
}

/** kube-proxy's health and metrics, kube-router's health. */
const portsOf: Readonly<Record<OtherProxy, readonly number[]>> = {
  'kube-proxy': [10_256, 10_249],
  'kube-router': [20_244],
};

/** In a container with a process namespace of its own, process 2 is no kernel thread. User-mode Linux has them too. */
async function seesHostProcesses(): Promise<boolean> {
  return (await textOf('/proc/2/comm')).trim() === 'kthreadd';
}

async function findProcess(name: string): Promise<string | undefined> {
  const here = await readlink('/proc/self/ns/net');
  const entries = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  for (const entry of entries) {
    if ((await textOf(`/proc/${entry}/comm`)).trim() !== name) continue;
    // Gone meanwhile, or not to be looked at: then it is better taken for one of ours.
    const there = await readlink(`/proc/${entry}/ns/net`).catch(() => here);
    if (there === here) return entry;
  }
  return undefined;
}

async function listening(ports: readonly number[]): Promise<readonly number[]> {
  const tables = await Promise.all([textOf('/proc/net/tcp'), textOf('/proc/net/tcp6')]);
  const taken = new Set(
    tables.flatMap((table) =>
      table.split('\n').flatMap((line) => {
        const match = /^\s*\d+: [\dA-F]+:([\dA-F]{4}) \S+ 0A /.exec(line);
        return match === null ? [] : [Number.parseInt(match[1] ?? '', 16)];
      }),
    ),
  );
  return ports.filter((port) => taken.has(port));
}

function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
