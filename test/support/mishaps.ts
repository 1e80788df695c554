/** Puts mishaps between a reconciler and its ports: refusals, lost replies. Works on fakes and on the kernel. */

import type { Operation } from '../../src/core/model/operation.ts';
import { errno, KernelError } from '../../src/kernel/error.ts';
import type { KernelPorts } from '../../src/kernel/executor.ts';
import { repliesLost } from '../../src/kernel/fake/faults.ts';
import type { ApplyResult, OperationFailure } from '../../src/kernel/ports.ts';

export interface MishapPorts extends KernelPorts {
  /** The next operation of this kind is refused and not carried out. */
  failNext(kind: Operation['kind'], code: keyof typeof errno): void;
  /** The next call of this port with operations is carried out, but nothing is known of it. */
  loseNext(port: keyof KernelPorts): void;
  /** Takes back what has not happened yet. */
  calm(): void;
  /** Operations given so far. */
  readonly writes: number;
}

export function withMishaps(ports: KernelPorts): MishapPorts {
  const failures: { readonly kind: Operation['kind']; readonly code: keyof typeof errno }[] = [];
  const losing = new Set<keyof KernelPorts>();
  let writes = 0;
  function through<T extends Operation>(
    name: keyof KernelPorts,
    apply: (operations: readonly T[]) => ApplyResult,
  ): (operations: readonly T[]) => ApplyResult {
    return (operations) => {
      writes += operations.length;
      const refused = operations.map((operation) => take(operation));
      const kept = [...operations.keys()].filter((index) => refused[index] === undefined);
      const result = apply(operations.filter((_, index) => refused[index] === undefined));
      const failed = result.failures.map(({ index, error }) => ({ index: kept[index] ?? index, error }));
      const own = refused.flatMap((error, index): readonly OperationFailure[] =>
        error === undefined ? [] : [{ index, error }],
      );
      return losing.delete(name) ? repliesLost(operations) : { failures: [...failed, ...own], unknown: result.unknown };
    };
  }
  function take({ kind }: Operation): KernelError | undefined {
    const index = failures.findIndex((failure) => failure.kind === kind);
    const [failure] = index < 0 ? [] : failures.splice(index, 1);
    return failure === undefined ? undefined : new KernelError(kind, errno[failure.code]);
  }
  const { ipvs, link, filter } = ports;
  return {
    ipvs: { ...ipvs, apply: through('ipvs', (operations) => ipvs.apply(operations)) },
    link: { ...link, apply: through('link', (operations) => link.apply(operations)) },
    filter: { ...filter, apply: through('filter', (operations) => filter.apply(operations)) },
    failNext: (kind, code) => failures.push({ kind, code }),
    loseNext: (port) => losing.add(port),
    calm: () => {
      failures.length = 0;
      losing.clear();
    },
    get writes() {
      return writes;
    },
  };
}
