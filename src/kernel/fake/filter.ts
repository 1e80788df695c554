/** Sluice's nftables table in memory, as strict as the kernel: without a table everything is ENOENT. */

import type { Expected } from '../../core/actual.ts';
import { filterElementKey } from '../../core/keys.ts';
import { type FilterElement, isViewElement, type SetName, setNames } from '../../core/model/filter-element.ts';
import type { FilterOperation } from '../../core/model/operation.ts';
import { isSameElement } from '../../core/plan.ts';
import { rangesMeet } from '../../core/ranges.ts';
import { finish, type Steps } from '../../core/steps.ts';
import { errno, KernelError } from '../error.ts';
import { setLayouts } from '../nft/set-layout.ts';
import { renderSkeleton } from '../nft/skeleton.ts';
import type { ApplyResult, FilterPort, OperationFailure } from '../ports.ts';
import { createFaults, type Faults, repliesLost } from './faults.ts';

/** The fake, with what only tests do to it. */
export interface FakeFilter extends FilterPort {
  readonly failNext: Faults<FilterOperation>['failNext'];
  /** The next `apply` does its work and brings back that nothing is known of it. */
  loseNextReplies(): void;
  /** Operations given to `apply` so far, refused ones included. */
  readonly writes: number;
  /** Times that `ensureTable` was called. */
  readonly loads: number;
  /** What `nft flush ruleset` of another program does. */
  flushRuleset(): void;
  /** The table becomes one of a version without these sets. */
  forgetSets(...sets: readonly SetName[]): void;
}

export function fakeFilter(): FakeFilter {
  const table: Table = {
    elements: undefined,
    missing: new Set(),
    faults: createFaults(),
    repliesLost: false,
    writes: 0,
    loads: 0,
  };
  return {
    ensureTable: async (skeleton, { fillsFirst = false } = {}) => {
      // Throws for what nft would refuse.
      renderSkeleton(skeleton);
      table.loads += 1;
      const isToBeFilled = fillsFirst && table.elements !== undefined && table.missing.size > 0;
      table.elements ??= new Map();
      table.missing.clear();
      return isToBeFilled ? 'to-be-filled' : 'loaded';
    },
    holds: (sets) => table.elements !== undefined && !sets.some((set) => table.missing.has(set)),
    dump: (sets = setNames) =>
      table.elements === undefined || sets.some((set) => table.missing.has(set))
        ? undefined
        : inSetOrder(table.elements).filter(({ set }) => sets.includes(set)),
    read: (eachExpected) => readInSteps(table, eachExpected),
    apply: (operations) => applyAll(table, operations),
    removeTable: () => {
      const outcome = table.elements === undefined ? 'absent' : 'removed';
      table.elements = undefined;
      return outcome;
    },
    close: () => undefined,
    failNext: table.faults.failNext,
    loseNextReplies: () => {
      table.repliesLost = true;
    },
    get writes() {
      return table.writes;
    },
    get loads() {
      return table.loads;
    },
    flushRuleset: () => {
      table.elements = undefined;
      table.missing.clear();
    },
    forgetSets: (...sets) => {
      for (const [key, { set }] of table.elements ?? []) {
        if (sets.includes(set)) table.elements?.delete(key);
      }
      for (const set of sets) table.missing.add(set);
    },
  };
}

interface Table {
  /** By `filterElementKey`; undefined without a table. */
  elements: Map<string, FilterElement> | undefined;
  readonly missing: Set<SetName>;
  readonly faults: Faults<FilterOperation>;
  repliesLost: boolean;
  writes: number;
  loads: number;
}

/** As one transaction: the last operation on an element counts, and what is removed makes room for what is added. */
function applyAll(table: Table, operations: readonly FilterOperation[]): ApplyResult {
  const failures: OperationFailure[] = [];
  table.writes += operations.length;
  const last = new Map(
    operations.map((operation, index) => [filterElementKey(operation.element), { index, operation }]),
  );
  const isRemoval = ({ operation }: { readonly operation: FilterOperation }): boolean =>
    operation.kind === 'remove-element';
  const entries = [...last.values()];
  const ordered = [...entries.filter(isRemoval), ...entries.filter((entry) => !isRemoval(entry))];
  for (const { index, operation } of ordered) {
    const refused = table.faults.refusal(operation, () => change(table, operation));
    const verb = operation.kind === 'add-element' ? 'add' : 'remove';
    const text = `${verb} element ${filterElementKey(operation.element)}`;
    if (refused !== 0) failures.push({ index, error: new KernelError(text, refused) });
  }
  failures.sort((one, other) => one.index - other.index);
  const unknown = table.repliesLost && operations.length > 0;
  table.repliesLost &&= !unknown;
  return unknown ? repliesLost(operations) : { failures, unknown };
}

/** Carries one operation out; an errno when the kernel would refuse it, else 0. */
function change(table: Table, operation: FilterOperation): number {
  const { elements } = table;
  const { element, kind } = operation;
  if (kind === 'remove-element') {
    elements?.delete(filterElementKey(element));
    return 0;
  }
  if (elements === undefined || table.missing.has(element.set)) return errno.ENOENT;
  const key = filterElementKey(element);
  if (!elements.has(key) && meetsAnother(elements, element)) return errno.EEXIST;
  // The kernel keeps an element that is there, with its comment; only another mark is put in its place.
  if (isViewElement(element) || !elements.has(key)) elements.set(key, element);
  return 0;
}

/** The kernel refuses a range that meets another one of the same set and frontend (nft_pipapo_insert, __nft_rbtree_insert). */
function meetsAnother(elements: ReadonlyMap<string, FilterElement>, element: FilterElement): boolean {
  if (!('range' in element)) return false;
  return [...elements.values()].some(
    (other) =>
      'range' in other && keyBesideRange(other) === keyBesideRange(element) && rangesMeet(other.range, element.range),
  );
}

function keyBesideRange(element: Extract<FilterElement, { readonly range: string }>): string {
  return filterElementKey({ ...element, range: '' });
}
/** Each set as it is when its turn comes. */
function* readInSteps(
  table: Table,
  eachExpected: Expected['eachElement'],
): Steps<Map<string, FilterElement> | undefined> {
  const found = new Map<string, FilterElement>();
  for (const set of setNames) {
    yield;
    if (table.elements === undefined || table.missing.size > 0) return undefined;
    const inSet = [...table.elements].filter(([, element]) => element.set === set);
    for (const [key, element] of sharedWith(eachExpected, new Map(inSet))) found.set(key, element);
  }
  return found;
}

function sharedWith(
  eachExpected: Expected['eachElement'],
  elements: ReadonlyMap<string, FilterElement>,
): Map<string, FilterElement> {
  const found = new Map([...elements].map(([key, element]) => [key, { ...element }]));
  const visits = eachExpected((key, element) => {
    const there = found.get(key);
    if (there !== undefined && isSameElement(element, there)) found.set(key, element);
  });
  finish(visits);
  return found;
}

function inSetOrder(elements: ReadonlyMap<string, FilterElement>): readonly FilterElement[] {
  const all = [...elements.values()];
  return [...new Set(setLayouts.map(({ set }) => set))].flatMap((set) => all.filter((element) => element.set === set));
}
