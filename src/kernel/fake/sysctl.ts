/** Kernel settings in memory. */

import { errno, KernelError } from '../error.ts';
import type { SysctlPort } from '../ports.ts';
import { sysctlPath } from '../sysctl/sysctl-path.ts';
import { createFaults, type Faults } from './faults.ts';

/** One write. */
export interface SysctlWrite {
  readonly key: string;
  readonly value: string;
}

/** The fake, with what only tests do to it. */
export interface FakeSysctl extends SysctlPort {
  readonly failNext: Faults<SysctlWrite>['failNext'];
  /** Writes that took effect, in order. */
  readonly writes: readonly SysctlWrite[];
}

/** `values` by key, in either spelling; a key that is not among them does not exist. */
export function fakeSysctl(values: Readonly<Record<string, string>> = {}): FakeSysctl {
  const stored = new Map(Object.entries(values).map(([key, value]) => [sysctlPath(key), value]));
  const faults = createFaults<SysctlWrite>();
  const writes: SysctlWrite[] = [];
  return {
    read: (key) => stored.get(requirePath('read', key))?.trim(),
    write: (key, value) => {
      const path = requirePath('write', key);
      const refused = faults.refusal({ key, value }, () => (stored.has(path) ? 0 : errno.ENOENT));
      if (refused !== 0) throw new KernelError(`write sysctl ${key}`, refused);
      stored.set(path, value);
      writes.push({ key, value });
    },
    failNext: faults.failNext,
    writes,
  };
}

function requirePath(verb: string, key: string): string {
  const path = sysctlPath(key);
  if (path === undefined) throw new KernelError(`${verb} sysctl ${key}`, errno.EINVAL);
  return path;
}
