/** What each errno means for each operation, and what is done about it. The one table (ipvs-kernel errors: ip_vs_ctl.c). */

import type { Operation } from '../core/model/operation.ts';
import type { ErrnoCode } from './error.ts';

export type Remedy =
  /** The kernel already is as wanted. */
  | 'done'
  /** It exists: edit it. */
  | 'edit-instead'
  /** It is gone: add it. */
  | 'add-instead'
  /** What is in force is not what was believed: read again. */
  | 'read-again'
  /** The kernel lacks the scheduler. */
  | 'scheduler-missing'
  /** The kernel will never take this as it is: leave it out until it changes. */
  | 'quarantine'
  /** May pass: try again later. */
  | 'retry';

export function remedyFor(kind: Operation['kind'], code: ErrnoCode): Remedy {
  switch (code) {
    case 'EEXIST':
      return kind === 'add-virtual-server' || kind === 'add-destination' ? 'edit-instead' : 'retry';
    case 'ENOENT':
      return absent(kind);
    case 'ESRCH':
      return kind === 'remove-virtual-server' || kind === 'remove-destination' ? 'done' : 'read-again';
    case 'EINVAL':
    case 'ERANGE':
    case 'EAFNOSUPPORT':
    case 'EOPNOTSUPP':
      return isSetting(kind) ? 'quarantine' : 'retry';
    case 'ENOBUFS':
      return 'read-again';
    default:
      return 'retry';
  }
}

/** What is wrong with a VIP is that the node changes under it; an element has no settings that could be wrong. */
function isSetting(kind: Operation['kind']): boolean {
  switch (kind) {
    case 'add-virtual-server':
    case 'edit-virtual-server':
    case 'add-destination':
    case 'edit-destination':
      return true;
    default:
      return false;
  }
}

function absent(kind: Operation['kind']): Remedy {
  switch (kind) {
    case 'add-virtual-server':
    case 'edit-virtual-server':
      return 'scheduler-missing';
    case 'edit-destination':
      return 'add-instead';
    case 'remove-destination':
    case 'remove-virtual-server':
    case 'remove-vip':
    case 'remove-element':
      return 'done';
    case 'add-destination':
    case 'add-vip':
      return 'retry';
    case 'add-element':
      // The table or the set: somebody flushed the ruleset.
      return 'read-again';
  }
}
