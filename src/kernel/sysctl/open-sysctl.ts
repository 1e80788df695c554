/** Kernel settings below /proc/sys. */

import { readFileSync, writeFileSync } from 'node:fs';
import { errno, isKernelError, KernelError } from '../error.ts';
import { fileError } from '../file-error.ts';
import type { SysctlPort } from '../ports.ts';
import { sysctlPath } from './sysctl-path.ts';

/** Opens the settings of the network namespace that the process is in. `root` is another folder in tests. */
export function openSysctl(root = '/proc/sys'): SysctlPort {
  return {
    read: (key) => {
      try {
        return readFileSync(`${root}/${pathOf('read', key)}`, 'utf8').trim();
      } catch (thrown) {
        const error = fileError(`read sysctl ${key}`, thrown);
        if (isAbsent(error)) return undefined;
        throw error;
      }
    },
    write: (key, value) => {
      const path = `${root}/${pathOf('write', key)}`;
      try {
        // Without O_CREAT: a key that does not exist is ENOENT, on an ordinary file system too.
        writeFileSync(path, value, { flag: 'r+' });
      } catch (thrown) {
        throw fileError(`write sysctl ${key}`, thrown);
      }
    },
  };
}

function isAbsent(error: unknown): boolean {
  return isKernelError(error) && (error.errno === errno.ENOENT || error.errno === errno.ENOTDIR);
}

function pathOf(verb: 'read' | 'write', key: string): string {
  const path = sysctlPath(key);
  if (path === undefined) throw new KernelError(`${verb} sysctl ${key}`, errno.EINVAL);
  return path;
}
