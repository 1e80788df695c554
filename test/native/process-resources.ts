import { readdirSync, readlinkSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How many sockets this process holds. */
export function openSockets(): number {
  return readdirSync('/proc/self/fd').filter((each) => linkOf(each).startsWith('socket:')).length;
}

/** Collects garbage, and lets finalizers run, which Node does from the event loop. */
export async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect !== 'function') throw new TypeError('expected V8 to expose gc');
  for (let round = 0; round < 4; round += 1) {
    Reflect.apply(collect, undefined, []);
    await setImmediate();
  }
}

function linkOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    // The descriptor of the listing itself is closed by now.
    return '';
  }
}
