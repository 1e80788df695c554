/** Packets without end from one place: see `flood.py`. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { inNamespace } from '../../lab/execute.ts';
import type { Place } from '../../lab/world/places.ts';

export interface Flood {
  /** Ends it and tells how many packets were sent. */
  readonly stop: () => Promise<number>;
}

const program = fileURLToPath(new URL('./flood.py', import.meta.url));

/** `targets` are lines like `TCP 10.96.0.1 80`. Resolves when the first packet is about to be sent. */
export async function startFlood(from: Place, targets: readonly string[], perSecond: number): Promise<Flood> {
  const [source = ''] = from.addresses.IPv4;
  const [file = '', ...args] = inNamespace(from.name, ['python3', program, source, String(perSecond)]);
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.stdin.end(`${targets.join('\n')}\n`);
  const ended = once(child, 'exit');
  await lines.next();
  return {
    stop: async () => {
      child.kill('SIGTERM');
      const { value }: { readonly value?: unknown } = await lines.next();
      await ended;
      return Number(value);
    },
  };
}
