import { type CpuProfile, type ProfileNode, selfTimes } from './cpu-profile.ts';
import { type Frame, groupOfLine, outermost, type Place, placeOf } from './frame-group.ts';

/** The program that a profile speaks of. */
export interface Program {
  /** Where something in it comes from; both counted from 0. */
  sourceAt(url: string, line: number, column: number): string | undefined;
  /** The line, counted from 1, with those before it that begin the same call. */
  callAt(url: string, line: number): string;
}

/** Milliseconds of self time by group. */
export function groupTimes(profile: CpuProfile, program: Program): ReadonlyMap<string, number> {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const called = new Set(profile.nodes.flatMap(({ children = [] }) => children));
  const selfMs = selfTimes(profile);
  const totals = new Map<string, number>();
  const add = (group: string, ms: number) => totals.set(group, (totals.get(group) ?? 0) + ms);
  const walk = (node: ProfileNode, caller: Place) => {
    const place = placeOf(frameOf(node, program), caller);
    spread(node, selfMs.get(node.id) ?? 0, place, { program, add });
    for (const child of node.children ?? []) {
      const next = byId.get(child);
      if (next !== undefined) {
        walk(next, place);
      }
    }
  };
  for (const node of profile.nodes.filter(({ id }) => !called.has(id))) {
    walk(node, outermost);
  }
  return totals;
}

function frameOf({ callFrame }: ProfileNode, program: Program): Frame {
  const { functionName, url, lineNumber, columnNumber } = callFrame;
  return { functionName, url, source: program.sourceAt(url, lineNumber, columnNumber) };
}

interface Target {
  readonly program: Program;
  readonly add: (group: string, ms: number) => void;
}

/** Over the lines that were met in the function. */
function spread(node: ProfileNode, ms: number, place: Place, { program, add }: Target): void {
  const { positionTicks = [], callFrame } = node;
  const ticks = positionTicks.reduce((sum, position) => sum + position.ticks, 0);
  if (ms > 0 && ticks === 0) {
    add(place.group, ms);
  }
  for (const position of positionTicks) {
    const group = groupOfLine(program.callAt(callFrame.url, position.line), place);
    add(group, (ms * position.ticks) / ticks);
  }
}
