import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import { type Loop, startLoop } from '../../src/app/loop.ts';
import type { PassOutcome } from '../../src/app/reconciler/state.ts';
import type { CompileContext } from '../../src/core/model/context.ts';
import type { FactChange, ObjectFact, ObjectKind } from '../../src/core/model/facts.ts';
import type { FilterPort } from '../../src/kernel/ports.ts';
import { context } from '../support/context.ts';
import { service, servicePort, slice } from '../support/facts.ts';
import { keepingPasses } from '../support/loop-observer.ts';
import { type FakePorts, fakePorts, reconcilerOn, sets, skeleton } from '../support/node-ports.ts';
import { takeTurns } from '../support/turns.ts';
import { one } from '../support/web.ts';

let ports: FakePorts;
let loop: Loop;
const passes: PassOutcome[] = [];
const web: ObjectFact = {
  kind: 'Service',
  fact: service({ type: 'NodePort', ports: [servicePort({ nodePort: 30_080 })] }),
};
const webSlice: ObjectFact = { kind: 'EndpointSlice', fact: slice([one]) };

const observer = keepingPasses(passes);

function contextOf(): CompileContext {
  return context({ nodePortAddresses: ports.link.nodeAddresses().map(({ address }) => address) });
}

beforeEach(async () => {
  passes.length = 0;
  vi.useFakeTimers();
  ports = await fakePorts();
  const reconciler = reconcilerOn(ports);
  loop = startLoop({ reconciler, ports, skeleton, contextOf, observer, auditPeriodMs: 300_000 });
});

afterEach(() => {
  loop.stop();
  vi.useRealTimers();
});

function list(kind: ObjectKind, ...facts: readonly ObjectFact[]): FactChange {
  return { change: 'replace', kind, facts };
}

function nodePorts(): readonly string[] {
  const identities = ports.ipvs.dump().map(({ server }) => server.identity);
  return identities.flatMap((each) => (each.kind === 'address' && each.port === 30_080 ? [each.address] : []));
}

describe('the begin of the loop', () => {
  it('waits for a Node no longer than 30 s after the Services', async () => {
    loop.changes([list('Service', web), list('EndpointSlice', webSlice)]);
    await vi.advanceTimersByTimeAsync(29_000);
    expect(passes).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_010);
    expect(passes.map(({ trigger }) => trigger)).toEqual(['start']);
  });

  it('does not wait for ever for a Node when the Services come late themselves', async () => {
    await vi.advanceTimersByTimeAsync(45_000);
    loop.changes([list('Service', web), list('EndpointSlice', webSlice)]);
    await vi.advanceTimersByTimeAsync(30_010);
    expect(passes.map(({ trigger }) => trigger)).toEqual(['start']);
  });

  it('gives the Node its time when the Services come late', async () => {
    await vi.advanceTimersByTimeAsync(45_000);
    loop.changes([list('Service', web), list('EndpointSlice', webSlice)]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(passes).toEqual([]);
    loop.changes([list('Node'), list('ServiceCIDR')]);
    await takeTurns();
    expect(passes.map(({ trigger }) => trigger)).toEqual(['start']);
  });

  it('listens for addresses before it reads them, so that none comes unheard during the first pass', async () => {
    const told: string[] = [];
    const { link } = ports;
    const read = link.nodeAddresses.bind(link);
    const listen = link.onAddressChange.bind(link);
    vi.spyOn(link, 'nodeAddresses').mockImplementation(() => {
      told.push('read');
      return read();
    });
    vi.spyOn(link, 'onAddressChange').mockImplementation((listener) => {
      told.push('listen');
      return listen(listener);
    });
    loop.changes([list('Service', web), list('EndpointSlice', webSlice), list('Node'), list('ServiceCIDR')]);
    await takeTurns();
    expect(told.slice(0, 2)).toEqual(['listen', 'read']);
    expect(nodePorts().length).toBeGreaterThan(0);
  });
});

describe('the table of a node that has none', () => {
  let load: MockInstance<FilterPort['ensureTable']>;

  beforeEach(() => {
    loop.stop();
    ports.filter.flushRuleset();
    load = vi.spyOn(ports.filter, 'ensureTable');
  });

  function start(): void {
    loop = startLoop({
      reconciler: reconcilerOn(ports),
      ports,
      skeleton,
      contextOf,
      observer,
      auditPeriodMs: 300_000,
    });
  }

  it('is loaded while the lists come', async () => {
    start();
    expect(load).toHaveBeenCalledOnce();
    await takeTurns();
    expect(ports.filter.dump()).toEqual([]);
    expect([ports.ipvs.dump(), ports.link.dumpVips()]).toEqual([[], []]);
  });

  it('waits for them where a VIP is left: whose the virtual servers on it are takes the Services', async () => {
    ports.link.apply([{ kind: 'add-vip', vip: { address: '10.96.0.1', source: undefined } }]);
    start();
    await takeTurns();
    expect(load).not.toHaveBeenCalled();
    loop.changes([list('Service', web), list('EndpointSlice', webSlice), list('Node'), list('ServiceCIDR')]);
    await takeTurns();
    expect(load).toHaveBeenCalledOnce();
    expect(passes.map(({ trigger }) => trigger)).toEqual(['start']);
  });

  it('is there before the first pass, however long it takes', async () => {
    let loaded: () => void = () => {};
    load.mockImplementationOnce(async () => {
      await new Promise<void>((resolve) => (loaded = resolve));
      load.mockRestore();
      return ports.filter.ensureTable(skeleton);
    });
    start();
    loop.changes([list('Service', web), list('EndpointSlice', webSlice), list('Node'), list('ServiceCIDR')]);
    await takeTurns();
    expect(passes).toEqual([]);
    loaded();
    await takeTurns();
    expect(passes.map(({ trigger }) => trigger)).toEqual(['start']);
  });

  it('is tried again with the lists where it could not be loaded', async () => {
    load.mockRejectedValueOnce(new Error('nft refused the table'));
    start();
    loop.changes([list('Service', web), list('EndpointSlice', webSlice), list('Node'), list('ServiceCIDR')]);
    await takeTurns();
    expect(load).toHaveBeenCalledTimes(2);
    expect(nodePorts().length).toBeGreaterThan(0);
  });
});

describe('the table of a version that had no such set', () => {
  it('judges by its own chains until the set is filled', async () => {
    await ports.filter.ensureTable(skeleton);
    ports.filter.forgetSets('masquerade');
    const filled: (number | undefined)[] = [];
    const load = ports.filter.ensureTable.bind(ports.filter);
    vi.spyOn(ports.filter, 'ensureTable').mockImplementation((...input) => {
      filled.push(ports.filter.dump(['masquerade'])?.length);
      return load(...input);
    });
    loop.changes([list('Service', web), list('EndpointSlice', webSlice), list('Node'), list('ServiceCIDR')]);
    await takeTurns();
    expect(nodePorts().length).toBeGreaterThan(0);
    // A set that is missing cannot be read; the last call brings the chains.
    expect(filled).toEqual([undefined, nodePorts().length]);
  });
});

describe('a table that somebody flushed', () => {
  it('is made again soon when a change meets it', async () => {
    loop.changes([list('Service', web), list('EndpointSlice', webSlice), list('Node'), list('ServiceCIDR')]);
    await takeTurns();
    ports.filter.flushRuleset();
    const other = service({ name: 'other', clusterIPs: ['10.96.0.2'] });
    loop.changes(sets({ kind: 'Service', fact: other }));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(ports.filter.dump(['vips']) ?? []).toContainEqual({ set: 'vips', address: '10.96.0.2' });
    expect(ports.link.dumpVips().map(({ address }) => address)).toContain('10.96.0.2');
  });
});

describe('audits', () => {
  it.each([
    { takes: 10, isAuditPeriodExact: false, everyMs: 300_000 },
    { takes: 3_000, isAuditPeriodExact: false, everyMs: 600_000 },
    { takes: 3_000, isAuditPeriodExact: true, everyMs: 300_000 },
  ])('that take $takes ms come every $everyMs ms (period asked for: $isAuditPeriodExact)', async (given) => {
    loop.stop();
    const reconciler = reconcilerOn(ports);
    const auditInSteps = reconciler.auditInSteps.bind(reconciler);
    const startInSteps = reconciler.startInSteps.bind(reconciler);
    const begun: number[] = [];
    vi.spyOn(reconciler, 'startInSteps').mockImplementation(function* () {
      const outcome = yield* startInSteps();
      begun.push(performance.now());
      return { ...outcome, durationMs: given.takes };
    });
    vi.spyOn(reconciler, 'auditInSteps').mockImplementation(function* () {
      begun.push(performance.now());
      return { ...(yield* auditInSteps()), durationMs: given.takes };
    });
    loop = startLoop({ reconciler, ports, skeleton, contextOf, observer, auditPeriodMs: 300_000, ...given });
    loop.changes([list('Service', web), list('EndpointSlice', webSlice), list('Node'), list('ServiceCIDR')]);
    await vi.advanceTimersByTimeAsync(2_000_000);
    const [start = 0, first = 0, second = 0] = begun;
    // A turn of the event loop lies before the start is told of, and two before an audit reads: a millisecond each, here.
    expect(first - start - given.everyMs).toBe(3);
    expect(second - first - given.everyMs).toBe(2);
  });
});
