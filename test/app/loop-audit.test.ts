import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Loop, startLoop } from '../../src/app/loop.ts';
import type { Reconciler } from '../../src/app/reconciler/reconciler.ts';
import type { PassOutcome } from '../../src/app/reconciler/state.ts';
import { context } from '../support/context.ts';
import { node, service, slice } from '../support/facts.ts';
import { keepingPasses } from '../support/loop-observer.ts';
import { completeLists, type FakePorts, fakePorts, reconcilerOn, sets, skeleton } from '../support/node-ports.ts';
import { takeTurns } from '../support/turns.ts';
import { one, two, webIdentity } from '../support/web.ts';

const auditPeriodMs = 60_000;
const passes: PassOutcome[] = [];
let ports: FakePorts;
let loop: Loop;
let reconciler: Reconciler;
let masqueradeAll: boolean;
/** When the node is looked at. */
let onLook: () => void;

beforeEach(async () => {
  vi.useFakeTimers();
  passes.length = 0;
  ports = await fakePorts();
  masqueradeAll = false;
  onLook = () => {};
  reconciler = reconcilerOn(ports);
  const contextOf = (): ReturnType<typeof context> => {
    onLook();
    return context({ masqueradeAll });
  };
  loop = startLoop({ reconciler, ports, skeleton, contextOf, observer: keepingPasses(passes), auditPeriodMs });
  const facts = [
    { kind: 'Service', fact: service({}) },
    { kind: 'EndpointSlice', fact: slice([one]) },
    { kind: 'Node', fact: node() },
  ] as const;
  loop.changes(completeLists(facts));
  await takeTurns();
});

afterEach(() => {
  loop.stop();
  vi.useRealTimers();
});

function triggers(): readonly string[] {
  return passes.map(({ trigger }) => trigger);
}

function endpointComes(): void {
  loop.changes(sets({ kind: 'EndpointSlice', fact: slice([one, two]) }));
}

/** Calls `act` once, in the middle of a reading. */
function whileReading(act: () => void): void {
  const { link } = ports;
  const readVips = link.readVips.bind(link);
  vi.spyOn(link, 'readVips').mockImplementationOnce(function* (expected) {
    const vips = yield* readVips(expected);
    act();
    return vips;
  });
}

/** Calls `act` once, before an operation of the audit is carried out. */
function whileMending(act: () => void): void {
  ports.ipvs.apply([{ kind: 'remove-virtual-server', identity: webIdentity }]);
  const apply = ports.ipvs.apply.bind(ports.ipvs);
  vi.spyOn(ports.ipvs, 'apply').mockImplementationOnce((operations) => {
    act();
    return apply(operations);
  });
}

async function audited(): Promise<void> {
  await vi.advanceTimersByTimeAsync(auditPeriodMs);
}

function destinations(): readonly string[] {
  return ports.ipvs.dumpDestinations(webIdentity).map(({ address }) => address);
}

it('lets others have their turn before the node is looked at, and before the kernel is read', async () => {
  const story: string[] = [];
  const tell = (what: string) => () => {
    story.push(what);
    setImmediate(() => story.push('turn'));
  };
  vi.spyOn(ports.link, 'ensureInterface').mockImplementationOnce(() => {
    tell('interface')();
    return { created: false };
  });
  onLook = tell('node');
  const read = ports.ipvs.read.bind(ports.ipvs);
  vi.spyOn(ports.ipvs, 'read').mockImplementationOnce((expected) => {
    tell('kernel')();
    return read(expected);
  });
  await audited();
  await takeTurns();
  expect(story.slice(0, 5)).toEqual(['interface', 'turn', 'node', 'turn', 'kernel']);
});

it.each(['before the node is looked at', 'before the kernel is read'])('ends when it is stopped %s', async (when) => {
  const ensureInterface = ports.link.ensureInterface.bind(ports.link);
  const stopSoon = (): void => void setImmediate(() => loop.stop());
  const looked = vi.fn(when === 'before the kernel is read' ? stopSoon : () => {});
  onLook = looked;
  vi.spyOn(ports.link, 'ensureInterface').mockImplementationOnce(() => {
    const made = ensureInterface();
    if (when === 'before the node is looked at') {
      stopSoon();
    }
    return made;
  });
  const read = vi.spyOn(ports.ipvs, 'read');
  await audited();
  await takeTurns();
  expect(looked).toHaveBeenCalledTimes(when === 'before the kernel is read' ? 1 : 0);
  expect(read).not.toHaveBeenCalled();
});

it('carries a change out at once while an audit reads', async () => {
  let found: readonly string[] = [];
  whileReading(() => {
    endpointComes();
    found = destinations();
  });
  await audited();
  expect(found).toHaveLength(2);
  expect(triggers()).toEqual(['start', 'change', 'audit']);
  expect(passes[2]?.execution.performed).toHaveLength(0);
});

it('carries a change out after the audit where that mends', async () => {
  whileMending(endpointComes);
  await audited();
  expect(triggers()).toEqual(['start', 'audit', 'change']);
  expect(destinations()).toHaveLength(2);
});

it('looks at the node after the audit where that mends', async () => {
  whileMending(() => {
    masqueradeAll = true;
    loop.contextChanged();
  });
  await audited();
  expect(triggers()).toEqual(['start', 'audit', 'context']);
});

it('carries out nothing more that waited for an audit once it is stopped', async () => {
  whileMending(() => {
    masqueradeAll = true;
    loop.contextChanged();
    loop.stop();
  });
  await audited();
  expect(triggers()).toEqual(['start', 'audit']);
});

it('reads again after an audit during which the kernel contradicted what is believed', async () => {
  whileReading(() => {
    ports.ipvs.loseNextReplies();
    endpointComes();
  });
  await audited();
  expect(triggers()).toEqual(['start', 'change', 'audit']);
  expect(reconciler.view.isUncertain).toBe(true);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(passes.at(-1)).toMatchObject({ trigger: 'audit', execution: { performed: { length: 0 } } });
  expect(reconciler.view.isUncertain).toBe(false);
  expect(destinations()).toHaveLength(2);
});

it('audits once more when addresses went during an audit', async () => {
  whileReading(() => ports.link.setNodeAddresses([]));
  await audited();
  await takeTurns();
  expect(triggers().filter((each) => each === 'audit')).toHaveLength(2);
});
