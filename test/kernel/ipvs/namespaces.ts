import { execaSync } from 'execa';

const perScript = 40;

/** Hands out fresh network namespaces by path. Made many at a time: starting a process is the dear part. */
export interface Namespaces {
  take(): string;
  /** Deletes them all. */
  close(): void;
}

export function makeNamespaces(prefix: string): Namespaces {
  const made: string[] = [];
  let taken = 0;
  return {
    take() {
      if (taken === made.length) {
        const names = Array.from(
          { length: perScript },
          (_, index) => `${prefix}-${process.pid}-${made.length + index}`,
        );
        // Without a local table, which the first device to be up brings, the kernel takes every address for broadcast.
        runForEach('ip netns add "$name" && ip -n "$name" link set lo up', names);
        made.push(...names);
      }
      const name = made[taken];
      taken += 1;
      return `/run/netns/${name}`;
    },
    close: () => runForEach('ip netns delete "$name"', made),
  };
}

function runForEach(command: string, names: readonly string[]): void {
  execaSync('sh', ['-c', `for name; do ${command} || exit 1; done`, 'sh', ...names]);
}
