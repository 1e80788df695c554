/** What each errno means for each operation, and what is done about it. The one table (ipvs-kernel errors: ip_vs_ctl.c). */

import type { IpvsOperation, Operation } from '../core/model/operation.ts';
import type { ErrnoCode, KernelError } from './error.ts';

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

/** What is tried in place of a refused operation where the kernel turned out to hold something else. */
export function otherVerb(operation: IpvsOperation | undefined, error: KernelError): IpvsOperation | undefined {
  if (operation === undefined) {
    return undefined;
  }
  const remedy = remedyFor(operation.kind, error.code);
  if (remedy === 'edit-instead') {
    if (operation.kind === 'add-virtual-server') {
      return { kind: 'edit-virtual-server', server: operation.server };
    }
    return operation.kind === 'add-destination' ? { ...operation, kind: 'edit-destination' } : undefined;
  }
  return remedy === 'add-instead' && operation.kind === 'edit-destination'
    ? { ...operation, kind: 'add-destination' }
    : undefined;
}
