/**
 * Firewall marks of views: one per Service port, family and kind of view, inside the configured mask, never 0, and stable
 * over restarts because a view takes the mark back that the kernel still holds for one of its frontends. All bits of the
 * mask together are no view's: they steer packets of direct return to this node (src/kernel/nft/chains.ts).
 */

import { type FilterElement, isViewElement, type ViewSet } from './model/filter-element.ts';

export interface MarkStore {
  readonly mask: number;
  /** Service → view → mark. */
  readonly views: Map<string, Map<string, number>>;
  readonly taken: Set<number>;
  /** Where the search for a free mark goes on; counts marks, not bits. */
  next: number;
}

/** What the kernel holds of marks; `Actual` says more. Both by resource key. */
export interface MarkHolders {
  readonly elements: { readonly get: (key: string) => FilterElement | undefined };
  readonly virtualServers: { readonly has: (key: string) => boolean };
}

export function emptyMarks(mask: number): MarkStore {
  return { mask, views: new Map(), taken: new Set(), next: 1 };
}

/**
 * The marks of one Service while it is compiled: ask `markOf` for each view, then `settle`. `holders` is asked only for
 * a view that has no mark yet.
 */
export interface MarkSession {
  readonly markOf: (set: ViewSet, view: string, frontends: readonly string[]) => number | undefined;
  /** Gives back the marks of views that were not asked for. */
  readonly settle: () => void;
}

export function openMarks(marks: MarkStore, holders: () => MarkHolders, service: string): MarkSession {
  const before = marks.views.get(service) ?? new Map<string, number>();
  const after = new Map<string, number>();
  return {
    markOf: (set, view, frontends) => {
      const name = `${set} ${view}`;
      const mark =
        after.get(name) ??
        before.get(name) ??
        inherited(marks, holders(), { set, frontends }) ??
        nextFree(marks, holders());
      if (mark !== undefined) {
        after.set(name, mark);
        marks.taken.add(mark);
      }
      return mark;
    },
    settle: () => {
      for (const [view, mark] of before) {
        if (!after.has(view)) {
          marks.taken.delete(mark);
        }
      }
      if (after.size === 0) {
        marks.views.delete(service);
      } else {
        marks.views.set(service, after);
      }
    },
  };
}

/** The mark that the kernel holds for one of these frontends, if no other view has taken it. */
function inherited(
  marks: MarkStore,
  holders: MarkHolders,
  view: { readonly set: ViewSet; readonly frontends: readonly string[] },
): number | undefined {
  for (const frontend of view.frontends) {
    const element = holders.elements.get(`${view.set} ${frontend}`);
    if (
      element !== undefined &&
      isViewElement(element) &&
      isInside(marks, element.mark) &&
      !marks.taken.has(element.mark)
    ) {
      return element.mark;
    }
  }
  return undefined;
}

/** Whether a view that asks now is given a mark. */
export function hasFreeMark(marks: MarkStore, holders: MarkHolders): boolean {
  return nextFree(marks, holders) !== undefined;
}

/** A mark counts as occupied while the kernel holds its virtual server, also when its view is already gone. */
function nextFree(marks: MarkStore, holders: MarkHolders): number | undefined {
  const occupied = occupiedMarks(marks, holders);
  const total = 2 ** countBits(marks.mask) - 1;
  for (let tried = 1; tried < total; tried += 1) {
    const mark = spread(marks.next, marks.mask);
    marks.next = marks.next + 1 < total ? marks.next + 1 : 1;
    if (!occupied(mark)) {
      return mark;
    }
  }
  return undefined;
}

function occupiedMarks(marks: MarkStore, holders: MarkHolders): (mark: number) => boolean {
  return (mark) =>
    marks.taken.has(mark) ||
    holders.virtualServers.has(`FWM ${mark} IPv4`) ||
    holders.virtualServers.has(`FWM ${mark} IPv6`);
}

function isInside(marks: MarkStore, mark: number): boolean {
  return mark !== 0 && mark !== marks.mask && (mark & ~marks.mask) === 0;
}

/** Puts the bits of `value` into the set bits of `mask`, lowest first. */
function spread(value: number, mask: number): number {
  let result = 0;
  let rest = value;
  for (let bit = 0; bit < 32; bit += 1) {
    if (((mask >>> bit) & 1) === 1) {
      result |= (rest & 1) << bit;
      rest = Math.floor(rest / 2);
    }
  }
  return result >>> 0;
}

function countBits(mask: number): number {
  let count = 0;
  for (let rest = mask >>> 0; rest !== 0; rest &= rest - 1) {
    count += 1;
  }
  return count;
}
