import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { healthz, livez } from '../../src/app/health/health.ts';
import { KernelError } from '../../src/kernel/error.ts';
import type { KernelPorts } from '../../src/kernel/executor.ts';
import { localEndpoint, node, service, slice } from '../support/facts.ts';
import { type MishapPorts, withMishaps } from '../support/mishaps.ts';
import { type FakePorts, fakePorts, sets } from '../support/node-ports.ts';
import { deliverLists, type ObservedLoop, observedLoop } from '../support/observed-loop.ts';

const syncPeriodMs = 30_000;
const web = { kind: 'Service', fact: service() } as const;
const webSlice = { kind: 'EndpointSlice', fact: slice([localEndpoint('10.1.0.1')]) } as const;
const ours = { kind: 'Node', fact: node() } as const;

let fakes: FakePorts;
let ports: MishapPorts;
let observed: ObservedLoop;

beforeEach(async () => {
  fakes = await fakePorts();
  ports = withMishaps(fakes);
});

afterEach(() => observed.stop());

function codes(): { readonly healthz: number; readonly livez: number } {
  const { health, clock } = observed;
  return {
    healthz: healthz(health.value, clock.now, syncPeriodMs).status,
    livez: livez(health.value, clock.now, syncPeriodMs).status,
  };
}

async function started(on: KernelPorts = ports): Promise<void> {
  observed = observedLoop(on);
  deliverLists(observed.loop, web, webSlice, ours);
  await vi.waitFor(() => expect(observed.reconciler.view.isStarted).toBe(true));
}

function later(ms: number): void {
  observed.clock.now += ms;
}

describe('the health of a node', () => {
  it('knows at once that the Node is on its way out', async () => {
    await started();
    expect(codes()).toEqual({ healthz: 200, livez: 200 });
    observed.loop.changes(sets({ kind: 'Node', fact: node({ eligible: false }) }));
    expect(codes()).toEqual({ healthz: 503, livez: 200 });
    observed.loop.changes(sets(ours));
    expect(codes()).toEqual({ healthz: 200, livez: 200 });
  });

  it('gets no traffic before everything was in force once, and is alive', async () => {
    observed = observedLoop(ports);
    observed.loop.changes([{ change: 'replace', kind: 'Node', facts: [ours] }]);
    expect(codes()).toEqual({ healthz: 503, livez: 200 });
    const body: unknown = JSON.parse(healthz(observed.health.value, observed.clock.now, syncPeriodMs).body);
    expect(body).toMatchObject({ nodeEligible: true, synced: false, healthy: true });
    ports.failNext('add-virtual-server', 'ENOMEM');
    deliverLists(observed.loop, web, webSlice, ours);
    await vi.waitFor(() => expect(observed.reconciler.view.isStarted).toBe(true));
    expect(codes()).toEqual({ healthz: 503, livez: 200 });
    await vi.waitFor(() => expect(codes()).toEqual({ healthz: 200, livez: 200 }), 5_000);
  });

  it('may get traffic at once where everything stands from an earlier run', async () => {
    await started();
    await observed.stop();
    observed = observedLoop(ports);
    expect(codes().healthz).toBe(503);
    deliverLists(observed.loop, web, webSlice, ours);
    await vi.waitFor(() => expect(observed.reconciler.view.isStarted).toBe(true));
    expect(codes()).toEqual({ healthz: 200, livez: 200 });
  });

  it('still may get traffic when the API server goes away after that', async () => {
    await started();
    later(3_600_000);
    expect(codes()).toEqual({ healthz: 200, livez: 200 });
  });

  it('does not suffer from lists that do not come', () => {
    observed = observedLoop(ports);
    observed.loop.changes([{ change: 'replace', kind: 'Service', facts: [web] }]);
    later(3_600_000);
    expect(codes().livez).toBe(200);
  });

  it('is bad when the kernel cannot be programmed for the first time', async () => {
    const refuse = vi.spyOn(fakes.filter, 'ensureTable').mockRejectedValue(new KernelError('nft', 1));
    observed = observedLoop(fakes);
    deliverLists(observed.loop, web, webSlice, ours);
    await vi.waitFor(() => expect(refuse).toHaveBeenCalled());
    later(2 * syncPeriodMs);
    expect(codes()).toEqual({ healthz: 503, livez: 503 });
    refuse.mockRestore();
    await vi.waitFor(() => expect(codes()).toEqual({ healthz: 200, livez: 200 }), 5_000);
  });

  it('is not spoiled by a change that asks for nothing, which is no update either', async () => {
    await started();
    const before = observed.health.value;
    later(1_000);
    observed.loop.changes([{ change: 'delete', kind: 'EndpointSlice', key: 'default/unknown' }]);
    observed.loop.changes([{ change: 'set', kind: 'Service', fact: service({ clusterIPs: [] }) }]);
    observed.loop.changes(sets(ours));
    later(2 * syncPeriodMs);
    expect(codes().livez).toBe(200);
    expect(observed.health.value.families.IPv4?.lastUpdated).toBe((before.families.IPv4?.lastUpdated ?? 0) + 1_000);
    observed.loop.changes(sets(ours));
    expect(observed.health.value.families.IPv4?.lastUpdated).toBe((before.families.IPv4?.lastUpdated ?? 0) + 1_000);
  });

  it('is bad in the family alone whose change does not come into force', async () => {
    await started();
    ports.failNext('add-virtual-server', 'ENOMEM');
    const fact = service({ name: 'six', clusterIPs: ['fd00:96::6'] });
    observed.loop.changes(sets({ kind: 'Service', fact }));
    later(2 * syncPeriodMs);
    const body: unknown = JSON.parse(livez(observed.health.value, observed.clock.now, syncPeriodMs).body);
    expect(body).toMatchObject({ healthy: false, status: { IPv4: { healthy: true }, IPv6: { healthy: false } } });
    await vi.waitFor(() => expect(codes().livez).toBe(200), 5_000);
  });

  it('stays bad when a pass broke off and another one, of other Services, succeeds', async () => {
    await started(fakes);
    vi.spyOn(fakes.ipvs, 'apply').mockImplementationOnce(() => {
      throw new KernelError('send', 1);
    });
    observed.loop.changes(sets({ kind: 'Service', fact: service({ name: 'lost', clusterIPs: ['10.96.0.7'] }) }));
    observed.loop.changes(sets({ kind: 'Service', fact: service({ name: 'kept', clusterIPs: ['10.96.0.8'] }) }));
    later(2 * syncPeriodMs);
    expect(codes().livez).toBe(503);
    await vi.waitFor(() => expect(codes().livez).toBe(200), 5_000);
  });
});
