import { describe, expect, it } from 'vitest';
import type { Operation } from '../../src/core/model/operation.ts';
import { type ErrnoCode, errno } from '../../src/kernel/error.ts';
import { type Remedy, remedyFor } from '../../src/kernel/remedy.ts';

const kinds: readonly Operation['kind'][] = [
  'add-virtual-server',
  'edit-virtual-server',
  'remove-virtual-server',
  'add-destination',
  'edit-destination',
  'remove-destination',
  'add-vip',
  'remove-vip',
  'add-element',
  'remove-element',
];

/** A VIP whose source is not the node's yet, or an element of a set that somebody changed, may be taken later. */
const unfit = {
  'add-virtual-server': 'quarantine',
  'edit-virtual-server': 'quarantine',
  'add-destination': 'quarantine',
  'edit-destination': 'quarantine',
} as const;

const table: readonly (readonly [ErrnoCode, Readonly<Partial<Record<Operation['kind'], Remedy>>>, Remedy])[] = [
  ['EEXIST', { 'add-virtual-server': 'edit-instead', 'add-destination': 'edit-instead' }, 'retry'],
  [
    'ENOENT',
    {
      'add-virtual-server': 'scheduler-missing',
      'edit-virtual-server': 'scheduler-missing',
      'edit-destination': 'add-instead',
      'remove-virtual-server': 'done',
      'remove-destination': 'done',
      'remove-vip': 'done',
      'remove-element': 'done',
      'add-element': 'read-again',
    },
    'retry',
  ],
  ['ESRCH', { 'remove-virtual-server': 'done', 'remove-destination': 'done' }, 'read-again'],
  ['ENOBUFS', {}, 'read-again'],
  ['EINVAL', unfit, 'retry'],
  ['ERANGE', unfit, 'retry'],
  ['EAFNOSUPPORT', unfit, 'retry'],
  ['EOPNOTSUPP', unfit, 'retry'],
  ['ENOMEM', {}, 'retry'],
  ['EPERM', {}, 'retry'],
  ['EIO', {}, 'retry'],
  ['errno-524', {}, 'retry'],
];

describe('the remedy', () => {
  it.each(table)('for %s is as the kernel means it', (code, special, otherwise) => {
    const found = Object.fromEntries(kinds.map((kind) => [kind, remedyFor(kind, code)]));
    expect(found).toEqual(Object.fromEntries(kinds.map((kind) => [kind, special[kind] ?? otherwise])));
  });

  it('takes nothing for done that was to be made', () => {
    const making = kinds.filter((kind) => !kind.startsWith('remove'));
    for (const kind of making) {
      for (const code of Object.keys(errno) as ErrnoCode[]) {
        expect(remedyFor(kind, code)).not.toBe('done');
      }
    }
  });
});
