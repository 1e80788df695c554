/** The agent as installed, the bundle, in the network namespace of a node. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

/** `npm run build` makes it. */
export const bundle = fileURLToPath(new URL('../../dist/sluice.mjs', import.meta.url));

export interface AgentInput {
  /** The name of the node and of its network namespace. */
  readonly node: string;
  /** A folder of manifests; undefined: the flags say where Services come from. */
  readonly manifests?: string;
  readonly flags?: readonly string[];
  /** Where programs are looked for; the PATH of the tests unless given. */
  readonly path?: string;
  /** As in a container that is not privileged: NET_ADMIN alone, and /proc/sys read-only. */
  readonly isContained?: boolean;
  /** Of a contained agent; NET_ADMIN alone unless given. */
  readonly capabilities?: readonly Capability[];
}

export type Capability = 'net_admin' | 'sys_admin';

/** One line of the log, as written. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

export interface Agent {
  /** Resolves when the first pass is done; rejects, with the log, when the agent ends before or takes over 60 s. */
  readonly synced: Promise<LogLine>;
  readonly log: readonly LogLine[];
  /** The first line, past or to come, that `fits`; rejects after `patienceMs`. */
  readonly line: (fits: (line: LogLine) => boolean, patienceMs?: number) => Promise<LogLine>;
  /** Sends the signal and waits for the end. */
  readonly end: (signal: 'SIGKILL' | 'SIGTERM') => Promise<void>;
  /** The metrics page: `sluice_repairs_total{kind="add-vip"}` → 3. */
  readonly metrics: () => Promise<ReadonlyMap<string, number>>;
}

export function startAgent(input: AgentInput): Agent {
  const [file, ...args] = commandLine(input, 'run', '--log-level=debug');
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const log = collectLog(child);
  return {
    synced: log.line((line) => line.msg === 'synced' && line['trigger'] === 'start', 60_000),
    log: log.lines,
    line: log.line,
    end: async (signal) => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal);
        await once(child, 'exit');
      }
    },
    metrics: () => readMetrics(input.node),
  };
}

/** What one command of sluice said. */
export interface CommandOutcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `sluice plan` or `sluice cleanup` on a node. */
export async function runSluice(input: AgentInput, ...words: readonly string[]): Promise<CommandOutcome> {
  const [file, ...args] = commandLine(input, ...words);
  const { exitCode, stdout, stderr } = await execa(file, args, { reject: false });
  return { status: exitCode ?? -1, stdout, stderr };
}

/** How many operations a sync would carry out on the node now. */
export async function plannedOperations(input: AgentInput): Promise<number> {
  const { status, stdout, stderr } = await runSluice(input, 'plan', '-o', 'json');
  // 0 and 2 both tell of a plan that was made; see `sluice plan --help`.
  const plan: unknown = JSON.parse(stdout === '' ? 'null' : stdout);
  const counts = isRecord(plan) ? plan['counts'] : undefined;
  const operations = isRecord(counts) ? counts['operations'] : undefined;
  if (typeof operations !== 'number') {
    throw new Error(`expected a plan, got status ${status}: ${stdout}${stderr}`);
  }
  return operations;
}

/** Reads the metrics page: values by name with labels. */
export function parseMetrics(page: string): ReadonlyMap<string, number> {
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

function commandLine(input: AgentInput, ...words: readonly string[]): readonly [string, ...string[]] {
  const flags = [
    ...(input.manifests === undefined ? [] : [`--manifests=${input.manifests}`]),
    `--hostname-override=${input.node}`,
    ...(input.flags ?? []),
  ];
  const command = [process.execPath, bundle, ...words, ...flags];
  const wrapped = input.isContained === true ? contained(command, input.capabilities) : command;
  const found = input.path === undefined ? wrapped : ['env', `PATH=${input.path}`, ...wrapped];
  return ['nsenter', `--net=/run/netns/${input.node}`, ...found];
}

/** The command line that runs another one with NET_ADMIN alone, or these capabilities, and /proc/sys read-only. */
export function contained(command: readonly string[], names: readonly Capability[] = ['net_admin']): readonly string[] {
  const script = 'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec "$@"';
  const bounding = ['-all', ...names.map((name) => `+${name}`)].join(',');
  const capabilities = ['setpriv', '--inh-caps=-all', `--bounding-set=${bounding}`, '--no-new-privs'];
  return ['unshare', '--mount', 'sh', '-c', script, 'sh', ...capabilities, ...command];
}

interface CollectedLog {
  readonly lines: readonly LogLine[];
  readonly line: Agent['line'];
}

function collectLog(child: ChildProcess): CollectedLog {
  const lines: LogLine[] = [];
  const waiting = new Set<() => void>();
  const take = (text: string): void => {
    lines.push(parseLine(text));
    for (const wake of waiting) wake();
  };
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', take);
  }
  child.on('exit', (code, signal) => take(JSON.stringify({ msg: `the agent ended: ${signal ?? code ?? ''}` })));
  return {
    lines,
    line: (fits, patienceMs = 10_000) =>
      new Promise((resolve, reject) => {
        const look = (): boolean => {
          const found = lines.find(fits);
          if (found !== undefined) {
            done();
            resolve(found);
          } else if (lines.at(-1)?.msg.startsWith('the agent ended') === true) {
            fail('the agent ended');
          }
          return found !== undefined;
        };
        const fail = (what: string): void => {
          done();
          const tail = lines.slice(-10).map((line) => JSON.stringify(line));
          reject(new Error(`expected a line in the log that did not come: ${what}\n${tail.join('\n')}`));
        };
        const timer = setTimeout(() => fail(`waited ${patienceMs} ms`), patienceMs);
        const done = (): void => {
          clearTimeout(timer);
          waiting.delete(look);
        };
        waiting.add(look);
        look();
      }),
  };
}

function parseLine(text: string): LogLine {
  try {
    const line: unknown = JSON.parse(text);
    return isRecord(line) && typeof line['msg'] === 'string' ? { ...line, msg: line['msg'] } : { msg: text };
  } catch {
    return { msg: text };
  }
}

async function readMetrics(node: string): Promise<ReadonlyMap<string, number>> {
  const url = 'http://127.0.0.1:10249/metrics';
  const { stdout } = await execa('nsenter', [`--net=/run/netns/${node}`, 'curl', '-sS', '--max-time', '5', url]);
  return parseMetrics(stdout);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
