import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from '../lab/world.ts';
import type { NodeName } from './world.ts';

/** Watches the kernel of a node for changes by anybody. */
export interface Recording {
  /** Ends the recording and returns what was changed, a line each. */
  readonly stop: () => Promise<readonly string[]>;
}

/** IPVS tells nobody of its changes: see `fallenCounts` for that. */
export async function recordChanges(world: World, node: NodeName): Promise<Recording> {
  const at = world.node(node);
  const monitors = [
    ['nft', 'monitor'],
    ['ip', 'monitor', 'link', 'address', 'route', 'rule'],
  ];
  const recorders = monitors.map((command) => world.start(at, command));
  // Neither program says when it listens.
  await sleep(400);
  return {
    stop: async () => {
      await sleep(200);
      await Promise.all(recorders.map((recorder) => recorder.end()));
      const lines = recorders.flatMap((recorder) => recorder.output().split('\n'));
      return lines.filter((text) => text !== '');
    },
  };
}
