import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { inside, type NodeName } from './world.ts';

/** Watches the kernel of a node for changes by anybody. */
export interface Recording {
  /** Ends the recording and returns what was changed, a line each. */
  readonly stop: () => Promise<readonly string[]>;
}

/** IPVS tells nobody of its changes: compare `connectionCounts` before and after for that. */
export async function recordChanges(node: NodeName): Promise<Recording> {
  const recorders = [
    start(node, ['nft', 'monitor']),
    start(node, ['ip', 'monitor', 'link', 'address', 'route', 'rule']),
  ];
  // Neither program says when it listens.
  await sleep(400);
  return {
    stop: async () => {
      await sleep(200);
      const recorded = await Promise.all(recorders.map((recorder) => recorder.stop()));
      return recorded.flat();
    },
  };
}

function start(node: NodeName, command: readonly string[]): Recording {
  const [file, ...args] = inside(node, ...command);
  const child: ChildProcess = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  return {
    stop: async () => {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      return output.split('\n').filter((text) => text !== '' && !isTextOfTable(text));
    },
  };
}

/**
 * An agent that starts loads the text of its table (sets, chains, rules) in one transaction. That makes the same of the
 * same; the elements in the sets, which are what depends on Services, must not be touched.
 */
function isTextOfTable(text: string): boolean {
  const declares = /^(?:add (?:table|set|map|chain|rule)|delete (?:chain|rule)) inet sluice /.test(text);
  const podRange = /^(?:add|delete) element inet sluice cluster_cidr/.test(text);
  return text.startsWith('# new generation') || declares || podRange;
}
