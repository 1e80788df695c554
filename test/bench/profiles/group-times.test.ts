import { expect, it } from 'vitest';
import type { CpuProfile, ProfileNode } from './cpu-profile.ts';
import { groupTimes, type Program } from './group-times.ts';

const lines = ['', 'function send(handle) {', '  handle.exchange(bytes);', '  count += 1;', '}'];

/** Line 0 belongs to the bundler, the next ones to one file, what comes after them to another. */
const program: Program = {
  sourceAt: (url, line) => {
    const source = line < 5 ? 'src/kernel/netlink/span.ts' : 'src/kernel/nft/apply-elements.ts';
    return url === '' || line === 0 ? undefined : source;
  },
  callAt: (_, line) => lines[line - 1] ?? '',
};

type Details = Pick<ProfileNode, 'children' | 'positionTicks'>;

function native(id: number, functionName: string, details: Details = {}): ProfileNode {
  return { id, callFrame: { functionName, url: '', lineNumber: -1, columnNumber: -1 }, ...details };
}

function bundled(id: number, lineNumber: number, details: Details = {}): ProfileNode {
  return { id, callFrame: { functionName: 'some', url: 'file:///a.mjs', lineNumber, columnNumber: 9 }, ...details };
}

const profile: CpuProfile = {
  nodes: [
    native(1, '(root)', { children: [2, 3, 6] }),
    native(2, '(idle)'),
    bundled(3, 0, { children: [4] }),
    bundled(4, 7, { children: [5] }),
    bundled(5, 1, {
      positionTicks: [
        { line: 3, ticks: 3 },
        { line: 4, ticks: 1 },
      ],
    }),
    native(6, '(garbage collector)'),
  ],
  samples: [2, 3, 4, 5, 5, 5, 5, 6],
  timeDeltas: [9_000, 1_000, 2_000, 1_000, 1_000, 1_000, 1_000, 500],
};

it('adds up what every function took itself, lines that make system calls apart', () => {
  expect(Object.fromEntries(groupTimes(profile, program))).toEqual({
    idle: 9,
    'loading and compiling the program': 1,
    'kernel/nft': 2,
    'system call: send and receive, kernel/nft': 3,
    'kernel/netlink': 1,
    'garbage collection': 0.5,
  });
});
