import { describe, expect, it } from 'vitest';
import { type ActualStore, adoptReading } from '../../src/core/actual.ts';
import { emptyMarks, type MarkStore, openMarks } from '../../src/core/marks.ts';
import type { Family } from '../../src/core/model/facts.ts';

const nothing = adoptReading({ virtualServers: [], vips: [], elements: [] });

/** The marks that a Service gets for these views; each view's only frontend is `TCP 192.0.2.1:N`, N being its name. */
function ask(marks: MarkStore, service: string, views: readonly string[], actual: ActualStore = nothing) {
  const session = openMarks(marks, () => actual, service);
  const found = views.map((view) => session.markOf('inside_view', `${service}:${view}`, [`TCP 192.0.2.1:${view}`]));
  session.settle();
  return found;
}

/** A kernel that holds these marks, as virtual servers and, by port, as elements of inside_view. */
function kernel(servers: readonly number[], elements: Readonly<Record<string, number>>, family: Family = 'IPv4') {
  return adoptReading({
    virtualServers: servers.map((mark) => ({
      server: {
        identity: { kind: 'fwmark', family, mark },
        scheduler: 'rr',
        flags: 0,
        timeoutSeconds: 0,
        prefixLength: 32,
      },
      destinations: [],
    })),
    vips: [],
    elements: Object.entries(elements).map(([port, mark]) => ({
      set: 'inside_view',
      address: '192.0.2.1',
      protocol: 'TCP',
      port: Number(port),
      mark,
    })),
  });
}

describe('marks', () => {
  it('are distinct, inside the mask, never 0, and the same when asked again', () => {
    const marks = emptyMarks(0x0007_0000);
    expect(ask(marks, 'a', ['1', '2'])).toEqual([0x0001_0000, 0x0002_0000]);
    expect(ask(marks, 'b', ['3'])).toEqual([0x0003_0000]);
    expect(ask(marks, 'a', ['1', '2'])).toEqual([0x0001_0000, 0x0002_0000]);
  });

  it('fill a mask with gaps, but for all its bits together, which steer', () => {
    const marks = emptyMarks(0x8000_0101);
    const found = ask(marks, 'a', ['1', '2', '3', '4', '5', '6']);
    expect(found).toEqual([0x1, 0x100, 0x101, 0x8000_0000, 0x8000_0001, 0x8000_0100]);
    expect(ask(marks, 'b', ['8'])).toEqual([undefined]);
  });

  it('are exhausted when every one is taken, and come back when one is given back', () => {
    const marks = emptyMarks(0x3);
    expect(ask(marks, 'a', ['1'])).toEqual([1]);
    expect(ask(marks, 'b', ['3', '4'])).toEqual([2, undefined]);
    ask(marks, 'a', []);
    expect(ask(marks, 'b', ['3', '4'])).toEqual([2, 1]);
  });

  it.each([0, 0b1])('of the narrow mask %i are none', (mask) => {
    expect(ask(emptyMarks(mask), 'a', ['1'])).toEqual([undefined]);
  });

  it('are taken back from the kernel after a restart, whatever the order of Services', () => {
    const held = kernel([7, 9], { 1: 7, 2: 9 });
    const marks = emptyMarks(0xff);
    expect(ask(marks, 'b', ['2'], held)).toEqual([9]);
    expect(ask(marks, 'a', ['1'], held)).toEqual([7]);
  });

  it('that others already took are not taken back twice', () => {
    const held = kernel([7], { 1: 7, 2: 7 });
    const marks = emptyMarks(0xff);
    expect(ask(marks, 'a', ['1'], held)).toEqual([7]);
    expect(ask(marks, 'b', ['2'], held)).toEqual([1]);
  });

  it('outside the mask, and the one that steers, are not taken back', () => {
    expect(ask(emptyMarks(0xf0), 'a', ['1'], kernel([], { 1: 0xf0 }))).toEqual([0x10]);
    expect(ask(emptyMarks(0xf0), 'a', ['1'], kernel([7], { 1: 7 }))).toEqual([0x10]);
    expect(ask(emptyMarks(0xf0), 'a', ['1'], kernel([], { 1: 0 }))).toEqual([0x10]);
  });

  it.each(['IPv4', 'IPv6'] as const)(
    'are not given while the kernel holds a virtual server of theirs in %s',
    (family) => {
      const marks = emptyMarks(0x3);
      expect(ask(marks, 'a', ['1'])).toEqual([1]);
      ask(marks, 'a', []);
      expect(ask(marks, 'b', ['2', '3'], kernel([1], {}, family))).toEqual([2, undefined]);
    },
  );

  it('of a Service that is gone are free', () => {
    const marks = emptyMarks(0x3);
    ask(marks, 'a', ['1', '3']);
    ask(marks, 'a', []);
    expect(marks.taken.size).toBe(0);
    expect(marks.views.size).toBe(0);
    expect(ask(marks, 'b', ['2', '4'])).toEqual([1, 2]);
  });
});
