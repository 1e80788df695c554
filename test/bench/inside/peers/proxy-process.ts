import { readFile } from 'node:fs/promises';
import { inNamespace } from '../../../lab/execute.ts';
import { startServer } from '../../../lab/kubernetes/server.ts';

export interface ProxyProcess {
  /** Of the process and of what it started and waited for, since its start. */
  cpuMs(): Promise<number>;
  residentMiB(): Promise<number>;
  /** Ends it without asking. */
  kill(): Promise<void>;
  /** The end of what it has said. */
  log(): string;
}

/** Starts a proxy on a node. */
export function startProxy(namespace: string, command: readonly string[]): ProxyProcess {
  const server = startServer(inNamespace(namespace, command));
  /** Fails when the proxy has ended. */
  const read = (name: string) => readFile(`/proc/${server.pid}/${name}`, 'utf8');
  return {
    cpuMs: async () => cpuMs(await read('stat')),
    residentMiB: async () => Number(/^VmRSS:\s+(\d+) kB$/m.exec(await read('status'))?.[1]) / 1024,
    kill: () => server.end('SIGKILL'),
    log: server.log,
  };
}

/** USER_HZ, the same on every Linux of this architecture. */
const ticksPerSecond = 100;

/** utime, stime, cutime and cstime stand 11 words after the state, which follows the name in parentheses (proc(5)). */
function cpuMs(stat: string): number {
  const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = words.slice(11, 15).reduce((sum, word) => sum + Number(word), 0);
  return (ticks * 1_000) / ticksPerSecond;
}
