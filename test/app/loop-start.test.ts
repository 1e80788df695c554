import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Loop, startLoop } from '../../src/app/loop.ts';
import type { PassOutcome } from '../../src/app/reconciler/state.ts';
import type { FactChange, ObjectFact } from '../../src/core/model/facts.ts';
import { context } from '../support/context.ts';
import { node, service, slice } from '../support/facts.ts';
import { keepingPasses } from '../support/loop-observer.ts';
import { completeLists, type FakePorts, fakePorts, reconcilerOn, skeleton, writes } from '../support/node-ports.ts';
import { one } from '../support/web.ts';

const many: readonly ObjectFact[] = Array.from({ length: 2_000 }, (_, number): readonly ObjectFact[] => {
  const name = `service-${number}`;
  const key = `default/${name}`;
  const clusterIPs = [`10.97.${number >> 8}.${number & 255}`];
  return [
    { kind: 'Service', fact: service({ name, clusterIPs }) },
    { kind: 'EndpointSlice', fact: slice([one], { key: `${key}-1`, service: key }) },
  ];
}).flat();

function lists(): readonly FactChange[] {
  const all: readonly ObjectFact[] = [...many, { kind: 'Node', fact: node() }];
  return completeLists(all);
}

describe('a first pass over many Services', () => {
  let ports: FakePorts;
  let loop: Loop;
  let passes: PassOutcome[];
  /** What is read of the node. */
  let read: ReturnType<typeof context>[];

  beforeEach(async () => {
    ports = await fakePorts();
    passes = [];
    read = [];
    loop = startLoop({
      reconciler: reconcilerOn(ports),
      ports,
      skeleton,
      contextOf: () => {
        const found = context({ masqueradeAll: read.length > 0 });
        read.push(found);
        return found;
      },
      observer: keepingPasses(passes),
      auditPeriodMs: 60_000,
    });
    loop.changes(lists());
    // By turns, not by the clock: on a busy machine a timer comes when the pass is over.
    while (read.length === 0) await turn();
  });

  /** Nothing is compiled as fast as that. */
  function expectUnderWay(): void {
    expect([passes, writes(ports)]).toEqual([[], 0]);
  }

  afterEach(() => {
    loop.stop();
  });

  it('is followed by what came meanwhile', async () => {
    expectUnderWay();
    loop.changes([{ change: 'set', kind: 'Service', fact: service({ clusterIPs: ['10.96.0.9'] }) }]);
    await vi.waitFor(() => expect(passes.map(({ trigger }) => trigger)).toEqual(['start', 'change']), 20_000);
    expect(passes[1]?.services).toEqual(['default/web']);
    expect(ports.ipvs.dump()).toHaveLength(many.length / 2 + 1);
  });

  it('is followed by a look at the node when that changed meanwhile', async () => {
    expectUnderWay();
    loop.contextChanged();
    expect(read).toHaveLength(1);
    await vi.waitFor(() => expect(passes.map(({ trigger }) => trigger)).toEqual(['start', 'context']), 20_000);
    expect(read).toHaveLength(2);
  });

  it('writes nothing more once it is stopped', async () => {
    expectUnderWay();
    loop.stop();
    for (let turns = 0; turns < 50; turns += 1) await turn();
    expectUnderWay();
  });
});
