import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { execa } from 'execa';
import { inside, type NodeName, podRanges } from './world.ts';

/** The agent as installed: the bundle, in the namespace of each node. */
export interface Sluice {
  /** Starts the agent of a node. */
  readonly start: (node: NodeName) => Agent;
  /** Runs another command of sluice on a node. */
  readonly command: (node: NodeName, name: 'plan' | 'cleanup') => Promise<CommandOutcome>;
  /** What a person would type for either. */
  readonly spelling: (node: NodeName, name: string) => string;
}

export interface Agent {
  /** Resolves with true when the agent has done its first sync, with false when it ended before. */
  readonly ready: Promise<boolean>;
  /** Ends the agent with a signal and waits for it. */
  readonly end: (signal: 'SIGKILL' | 'SIGTERM') => Promise<void>;
  /** The last lines of the log. */
  readonly log: () => string;
}

export interface CommandOutcome {
  readonly status: number;
  readonly output: string;
}

export function sluiceOf(bundle: string, manifests: string): Sluice {
  const commandLine = (node: NodeName, name: string) =>
    inside(node, process.execPath, bundle, name, ...flags(node, manifests));
  return {
    start: (node) => startAgent(node, commandLine(node, 'run')),
    command: async (node, name) => {
      const [file, ...args] = commandLine(node, name);
      const { exitCode, all } = await execa(file, args, { all: true, reject: false });
      return { status: exitCode ?? -1, output: all };
    },
    spelling: (node, name) => commandLine(node, name).join(' '),
  };
}

function flags(node: NodeName, manifests: string): readonly string[] {
  return [
    `--manifests=${manifests}`,
    `--hostname-override=${node}`,
    `--cluster-cidr=${podRanges}`,
    '--nodeport-addresses=primary',
    '--log-format=json',
  ];
}

function startAgent(node: NodeName, [file, ...args]: readonly [string, ...string[]]): Agent {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  const keep = (chunk: Buffer): void => {
    log = (log + chunk.toString()).slice(-16_384);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return {
    ready: firstSync(node, child),
    end: async (signal) => {
      child.kill(signal);
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
    log: () => log.trimEnd().split('\n').slice(-25).join('\n'),
  };
}

/** Asks the agent's own health server, as a kubelet would: it says 200 once the first sync is done. */
async function firstSync(node: NodeName, child: ChildProcess): Promise<boolean> {
  const [file, ...args] = inside(node, 'curl', '-fso', '/dev/null', '-m', '1', 'http://127.0.0.1:10256/healthz');
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (child.exitCode !== null || child.signalCode !== null) return false;
    const { exitCode } = await execa(file, args, { reject: false });
    if (exitCode === 0) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}
