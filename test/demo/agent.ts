import { setTimeout as sleep } from 'node:timers/promises';
import { type Executed, execute, inNamespace } from '../lab/execute.ts';
import { clusterRanges } from '../lab/world/places.ts';
import type { World, WorldProcess } from '../lab/world.ts';
import type { NodeName } from './world.ts';

/** The agent as installed: the bundle, in the namespace of each node. */
export interface Sluice {
  /** Starts the agent of a node. */
  readonly start: (node: NodeName) => Agent;
  /** Runs another command of sluice on a node. */
  readonly command: (node: NodeName, name: 'plan' | 'cleanup') => Promise<Executed>;
  /** What a person would type for either. */
  readonly spelling: (node: NodeName, name: string) => string;
}

export interface Agent {
  /** Resolves with true when the agent has done its first sync, with false when it has not within 30 s. */
  readonly ready: Promise<boolean>;
  /** Ends the agent with a signal and waits for it. */
  readonly end: WorldProcess['end'];
  /** The last lines of the log. */
  readonly log: () => string;
}

/** Where the external IPs of the demo's Services are; those outside would be reported. */
const externalRanges = '198.51.100.0/24,2001:db8:e::/64';

/** `bundle` is the built agent, `manifests` the folder that it watches. */
export function sluiceOf(world: World, bundle: string, manifests: string): Sluice {
  const commandLine = (node: NodeName, name: string): readonly string[] => [
    process.execPath,
    bundle,
    name,
    `--manifests=${manifests}`,
    `--hostname-override=${node}`,
    `--cluster-cidr=${clusterRanges}`,
    '--nodeport-addresses=primary',
    `--service-external-ip-range=${externalRanges}`,
  ];
  return {
    start: (node) => startAgent(world, node, commandLine(node, 'run')),
    command: (node, name) => execute(node, commandLine(node, name)),
    spelling: (node, name) => inNamespace(node, commandLine(node, name)).join(' '),
  };
}

function startAgent(world: World, node: NodeName, command: readonly string[]): Agent {
  const agent = world.start(world.node(node), command);
  return {
    ready: firstSync(node, agent),
    end: agent.end,
    log: () => agent.output().trimEnd().split('\n').slice(-20).join('\n'),
  };
}

/** Asks the agent's own health server, as a kubelet would: it says 200 once the first sync is done. */
async function firstSync(node: NodeName, { child }: WorldProcess): Promise<boolean> {
  const question = ['curl', '-fso', '/dev/null', '-m', '1', 'http://127.0.0.1:10256/healthz'];
  const started = performance.now();
  while (performance.now() - started < 30_000) {
    if (child.exitCode !== null || child.signalCode !== null) return false;
    const { status } = await execute(node, question);
    if (status === 0) return true;
    await sleep(250);
  }
  return false;
}
