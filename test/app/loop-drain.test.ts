import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Loop, startLoop } from '../../src/app/loop.ts';
import type { PassOutcome } from '../../src/app/reconciler/state.ts';
import type { FactChange, ObjectFact } from '../../src/core/model/facts.ts';
import { context } from '../support/context.ts';
import { node, service, slice } from '../support/facts.ts';
import { keepingPasses } from '../support/loop-observer.ts';
import { completeLists, type FakePorts, fakePorts, reconcilerOn, sets, skeleton } from '../support/node-ports.ts';
import { destination } from '../support/servers.ts';
import { takeTurns } from '../support/turns.ts';
import { one, two } from '../support/web.ts';

const count = 200;
const passes: PassOutcome[] = [];
let ports: FakePorts;
let loop: Loop;

beforeEach(async () => {
  vi.useFakeTimers();
  passes.length = 0;
  ports = await fakePorts();
  loop = startLoop({
    reconciler: reconcilerOn(ports),
    ports,
    skeleton,
    contextOf: () => context(),
    observer: keepingPasses(passes),
    auditPeriodMs: 60_000,
  });
  const services = names().map(
    (name, index): ObjectFact => ({ kind: 'Service', fact: service({ name, clusterIPs: [`10.96.1.${index}`] }) }),
  );
  const facts: readonly ObjectFact[] = [...services, ...slices(), { kind: 'Node', fact: node() }];
  loop.changes(completeLists(facts));
  await takeTurns();
});

afterEach(() => {
  loop.stop();
  vi.useRealTimers();
});

function names(): readonly string[] {
  return Array.from({ length: count }, (_, index) => `web-${index}`);
}

function slices(endpoints = [one, two]): readonly ObjectFact[] {
  return names().map((name) => ({
    kind: 'EndpointSlice',
    fact: slice(endpoints, { key: `default/${name}-1`, service: `default/${name}` }),
  }));
}

/** Of every Service. */
function endpointGoes(): readonly FactChange[] {
  return sets(...slices([one]));
}

function destinations(): number {
  return ports.ipvs.dump().reduce((sum, server) => sum + server.destinations.length, 0);
}

function removed(): readonly number[] {
  return passes.filter(({ trigger }) => trigger === 'drain').map(({ execution }) => execution.performed.length);
}

it('lets others have their turn while many destinations go', async () => {
  loop.changes(endpointGoes());
  await vi.advanceTimersByTimeAsync(1_100);
  expect(destinations()).toBe(count);
  expect(removed().length).toBeGreaterThan(2);
  expect(removed().reduce((sum, each) => sum + each, 0)).toBe(count);
});

it('does not remove what is wanted again by then', async () => {
  loop.changes(endpointGoes());
  const dumpDestinations = ports.ipvs.dumpDestinations.bind(ports.ipvs);
  vi.spyOn(ports.ipvs, 'dumpDestinations').mockImplementationOnce((identity) => {
    setImmediate(() => loop.changes(sets(...slices().slice(-1))));
    return dumpDestinations(identity);
  });
  await vi.advanceTimersByTimeAsync(1_100);
  expect(removed().reduce((sum, each) => sum + each, 0)).toBe(count - 1);
  expect(destinations()).toBe(count + 1);
});

it('looks again a second later at what has connections', async () => {
  loop.changes(endpointGoes());
  const identity = { kind: 'address', protocol: 'TCP', address: '10.96.1.7', port: 80 } as const;
  const busy = { address: two.address, port: 8080 };
  ports.ipvs.setConnections(identity, busy, { activeConnections: 1, inactiveConnections: 0 });
  await vi.advanceTimersByTimeAsync(1_100);
  expect(destinations()).toBe(count + 1);
  ports.ipvs.setConnections(identity, busy, { activeConnections: 0, inactiveConnections: 0 });
  await vi.advanceTimersByTimeAsync(1_100);
  expect(destinations()).toBe(count);
  expect(vi.getTimerCount()).toBe(1);
});

it('asks no more for what another hand removed, whatever else goes', async () => {
  loop.changes(endpointGoes());
  const identity = { kind: 'address', protocol: 'TCP', address: '10.96.1.7', port: 80 } as const;
  ports.ipvs.apply([{ kind: 'remove-destination', identity, destination: destination(two.address) }]);
  await vi.advanceTimersByTimeAsync(1_100);
  expect(destinations()).toBe(count);
  const dumpDestinations = vi.spyOn(ports.ipvs, 'dumpDestinations');
  await vi.advanceTimersByTimeAsync(5_000);
  expect(dumpDestinations).not.toHaveBeenCalled();
});
