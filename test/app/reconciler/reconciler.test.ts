import { describe, expect, it, vi } from 'vitest';
import type { Reconciler } from '../../../src/app/reconciler/reconciler.ts';
import type { PassOutcome, ReconcilerView } from '../../../src/app/reconciler/state.ts';
import { resourceKeyOf } from '../../../src/core/actual.ts';
import { refusalsOf } from '../../../src/core/desired.ts';
import { renderIpvs } from '../../../src/kernel/ipvs/render.ts';
import type { IpvsPort } from '../../../src/kernel/ports.ts';
import { context } from '../../support/context.ts';
import { drain } from '../../support/drain.ts';
import { endpoint, localEndpoint, service, servicePort, slice, terminating } from '../../support/facts.ts';
import { type FakePorts, fakePorts, reconcilerOn, sets, writes } from '../../support/node-ports.ts';
import {
  endpoints,
  expectSettled,
  gone,
  one,
  started,
  two,
  web,
  webIdentity,
  webKey,
  weights,
} from '../../support/web.ts';

function kindsDone(outcome: PassOutcome | undefined): readonly string[] {
  return [...(outcome?.execution.performed ?? [])].map(({ kind }) => kind);
}

describe('a reconciler', () => {
  it('writes nothing before it starts', async () => {
    const ports = await fakePorts();
    const reconciler = reconcilerOn(ports);
    expect(reconciler.changes([web(), endpoints(one)])).toBeUndefined();
    expect(reconciler.setContext(context({ masqueradeAll: true }))).toBeUndefined();
    expect(writes(ports)).toBe(0);
    reconciler.start();
    expectSettled(reconciler, ports);
  });

  it.each([
    ['another context', (reconciler: Reconciler) => reconciler.setContext(context({ masqueradeAll: true }))],
    ['an audit', (reconciler: Reconciler) => reconciler.audit()],
  ] as const)('is uncertain after %s that broke off', async (_, pass) => {
    const ports = await fakePorts();
    const reconciler = started(ports, web(), endpoints(one));
    ports.ipvs.apply([{ kind: 'remove-virtual-server', identity: webIdentity }]);
    vi.spyOn(ports.filter, 'apply').mockImplementationOnce(() => {
      throw new Error('broken');
    });
    vi.spyOn(ports.ipvs, 'apply').mockImplementationOnce(() => {
      throw new Error('broken');
    });
    expect(() => pass(reconciler)).toThrow('broken');
    expect(reconciler.view.isUncertain).toBe(true);
  });

  it('does only what a change asks for', async () => {
    const ports = await fakePorts();
    const reconciler = started(ports, web(), endpoints(one), web({ name: 'other', clusterIPs: ['10.96.0.2'] }));
    const outcome = reconciler.changes([endpoints(one, two)]);
    expect(outcome?.services).toEqual(['default/web']);
    expect(outcome?.execution.performed).toMatchObject([
      { kind: 'add-destination', destination: { address: '10.1.1.2' } },
    ]);
    expectSettled(reconciler, ports);
  });

  it('names the Services whose UDP endpoints changed, once, and none for other changes', async () => {
    const udp = service({
      name: 'dns',
      clusterIPs: ['10.96.0.9'],
      ports: [servicePort({ protocol: 'UDP', port: 53 })],
    });
    const dns = slice([one], { key: 'dns-1', service: udp.key, ports: [{ name: '', protocol: 'UDP', port: 53 }] });
    const changed = { kind: 'EndpointSlice', fact: { ...dns, endpoints: [two] } } as const;
    const reconciler = reconcilerOn(await fakePorts());
    const facts = sets({ kind: 'Service', fact: udp }, { kind: 'EndpointSlice', fact: dns });
    reconciler.changes([web(), endpoints(one), ...facts]);
    reconciler.start();
    expect([...reconciler.takeUdpServices()]).toEqual([udp.key]);
    reconciler.changes([endpoints(one, two), ...sets({ kind: 'Service', fact: udp })]);
    expect([...reconciler.takeUdpServices()]).toEqual([]);
    reconciler.changes(sets(changed));
    expect([...reconciler.takeUdpServices()]).toEqual([udp.key]);
    expect([...reconciler.takeUdpServices()]).toEqual([]);
  });

  it('names a Service again whose UDP endpoints changed once the kernel has taken what it refused', async () => {
    const ports = await fakePorts();
    const udp = service({ name: 'dns', ports: [servicePort({ protocol: 'UDP', port: 53 })] });
    const dns = slice([one], { key: 'dns-1', service: udp.key, ports: [{ name: '', protocol: 'UDP', port: 53 }] });
    const reconciler = reconcilerOn(ports);
    reconciler.changes([...sets({ kind: 'Service', fact: udp }, { kind: 'EndpointSlice', fact: dns })]);
    reconciler.start();
    reconciler.takeUdpServices();
    ports.ipvs.failNext(({ kind }) => kind === 'remove-destination', 'ENOMEM');
    reconciler.changes(sets({ kind: 'EndpointSlice', fact: { ...dns, endpoints: [two] } }));
    expect(reconciler.view.failing.size).toBe(1);
    expect([...reconciler.takeUdpServices()]).toEqual([udp.key]);
    reconciler.retry();
    expect(reconciler.view.failing.size).toBe(0);
    expect([...reconciler.takeUdpServices()]).toEqual([udp.key]);
    expect([...reconciler.takeUdpServices()]).toEqual([]);
  });

  it('does nothing for a slice of a Service that is not there', async () => {
    const ports = await fakePorts();
    const reconciler = started(ports);
    expect(reconciler.changes([endpoints(one)])?.execution.performed).toEqual([]);
    expect(reconciler.changes([])).toBeUndefined();
  });

  it('writes nothing when it starts again on what it left', async () => {
    const ports = await fakePorts();
    const fact = { externalTrafficPolicy: 'Local', type: 'LoadBalancer', loadBalancerIPs: ['192.0.2.1'] } as const;
    const local = localEndpoint('10.1.0.1');
    started(ports, web(fact), endpoints(local, two));
    const before = writes(ports);
    const again = started(ports, web(fact), endpoints(local, two));
    expect(writes(ports)).toBe(before);
    expect(again.view.failing.size).toBe(0);
  });

  it('writes nothing either when two Services claim a frontend with an inside view, the younger one listed first', async () => {
    const ports = await fakePorts();
    const fact = { externalTrafficPolicy: 'Local', externalIPs: ['192.0.2.1'] } as const;
    const young = web({ ...fact, name: 'young', createdAt: 2_000, clusterIPs: ['10.96.0.2'] });
    started(ports, young, web(fact), endpoints(one));
    const before = writes(ports);
    started(ports, young, web(fact), endpoints(one));
    expect(writes(ports)).toBe(before);
  });

  it('removes what it made before it was restarted and nobody wants any more', async () => {
    const ports = await fakePorts();
    started(ports, web(), endpoints(one));
    started(ports);
    expect([ports.ipvs.dump(), ports.link.dumpVips(), ports.filter.dump()]).toEqual([[], [], []]);
  });

  it('leaves what others made', async () => {
    const ports = await fakePorts();
    const foreign = { ...webIdentity, address: '203.0.113.1' };
    const server = { identity: foreign, scheduler: 'wlc', flags: 0, timeoutSeconds: 0, prefixLength: 32 };
    ports.ipvs.apply([{ kind: 'add-virtual-server', server }]);
    ports.link.addAddress('203.0.113.1');
    const reconciler = started(ports, web(), endpoints(one));
    reconciler.changes([gone()]);
    reconciler.audit();
    expect(ports.ipvs.dump().map((state) => state.server.identity)).toEqual([foreign]);
    expect(ports.link.dumpVips().map((vip) => vip.address)).toEqual(['203.0.113.1']);
  });

  it('mends at an audit what others broke', async () => {
    const ports = await fakePorts();
    const reconciler = started(ports, web(), endpoints(one, two));
    ports.ipvs.apply([
      {
        kind: 'remove-destination',
        identity: webIdentity,
        destination: { address: '10.1.1.1', port: 8080, weight: 1, forwarding: 'masquerade' },
      },
    ]);
    ports.link.deleteAddress('10.96.0.1');
    reconciler.audit();
    expectSettled(reconciler, ports);
    ports.ipvs.apply([{ kind: 'remove-virtual-server', identity: webIdentity }]);
    reconciler.audit();
    expectSettled(reconciler, ports);
  });

  it('keeps the scheduler of a Service whose annotation becomes unknown', async () => {
    const ports = await fakePorts();
    const reconciler = started(ports, web({ annotations: { 'sluice.dev/scheduler': 'lc' } }));
    reconciler.changes([web({ annotations: { 'sluice.dev/scheduler': 'least' } })]);
    expect(renderIpvs(ports.ipvs.dump())).toContain(' lc');
    expect(refusalsOf(reconciler.view.desired, 'default/web').map(({ reason }) => reason)).toEqual([
      'scheduler-unknown',
    ]);
  });

  it('does not take itself for started when the kernel could not be read', async () => {
    const ports = await fakePorts();
    let isBroken = true;
    const ipvs: IpvsPort = { ...ports.ipvs, read: (expected) => (isBroken ? raise() : ports.ipvs.read(expected)) };
    const reconciler = reconcilerOn({ ...ports, ipvs });
    reconciler.changes([web(), endpoints(one)]);
    expect(() => reconciler.start()).toThrow('broken');
    expect(reconciler.changes([endpoints(one, two)])).toBeUndefined();
    expect(writes(ports)).toBe(0);
    isBroken = false;
    reconciler.start();
    expectSettled(reconciler, ports);
  });

  it('makes nothing of a Service that went between two attempts to start', async () => {
    const ports = await fakePorts();
    let isBroken = true;
    const ipvs: IpvsPort = { ...ports.ipvs, read: (expected) => (isBroken ? raise() : ports.ipvs.read(expected)) };
    const reconciler = reconcilerOn({ ...ports, ipvs });
    reconciler.changes([web(), endpoints(one)]);
    expect(() => reconciler.start()).toThrow('broken');
    reconciler.changes([{ change: 'delete', kind: 'Service', key: 'default/web' }]);
    isBroken = false;
    reconciler.start();
    expect(writes(ports)).toBe(0);
  });

  it('shares with what is wanted what the kernel holds of it, at the start, after a change and at an audit', async () => {
    const ports = await fakePorts();
    const reconciler = reconcilerOn(ports);
    reconciler.changes([web(), endpoints(one)]);
    reconciler.start();
    expectShared(reconciler.view);
    reconciler.changes([endpoints(one, two)]);
    reconciler.audit();
    expectShared(reconciler.view);
    const again = reconcilerOn(ports);
    again.changes([web(), endpoints(one, two)]);
    again.start();
    expectShared(again.view);
  });
});

function expectShared({ desired, actual }: ReconcilerView): void {
  const wanted = [...desired.resources.values()];
  const servers = wanted.filter((resource) => resource.kind === 'virtual-server');
  const elements = wanted.filter((resource) => resource.kind === 'element');
  expect(servers.length).toBeGreaterThan(0);
  for (const { key, value } of servers) expect(actual.virtualServers.get(key)).toBe(value);
  for (const { key, value } of elements) expect(actual.elements.get(key)).toBe(value);
}

function raise(): never {
  throw new Error('broken');
}

describe('failures', () => {
  it('are tried again by key, and only they', async () => {
    const ports = await fakePorts();
    ports.ipvs.failNext(
      (operation) => operation.kind === 'add-virtual-server' && resourceKeyOf(operation) === webKey,
      'ENOMEM',
    );
    const reconciler = started(ports, web(), endpoints(one), web({ name: 'other', clusterIPs: ['10.96.0.2'] }));
    expect([...reconciler.view.failing]).toEqual([webKey]);
    const outcome = reconciler.retry();
    expect(kindsDone(outcome)).toEqual(['add-virtual-server', 'add-destination']);
    expect(reconciler.retry()).toBeUndefined();
    expectSettled(reconciler, ports);
  });

  it('in a guard keep the VIP back until it stands', async () => {
    const ports = await fakePorts();
    ports.filter.failNext(({ element }) => element.set === 'masquerade_outside', 'ENOSPC');
    const reconciler = started(ports, web(), endpoints(one));
    expect(ports.link.dumpVips()).toEqual([]);
    reconciler.retry();
    expectSettled(reconciler, ports);
  });

  it('in a guard keep the VIP back also when another Service shares it', async () => {
    const ports = await fakePorts();
    ports.filter.failNext(({ element }) => element.set === 'masquerade_outside', 'ENOSPC');
    const reconciler = started(ports, web(), endpoints(one));
    reconciler.changes([
      web({ name: 'other', clusterIPs: ['10.96.0.2'], externalIPs: ['10.96.0.1'], ports: [servicePort({ port: 81 })] }),
    ]);
    const guards = (ports.filter.dump() ?? []).some(
      (element) => element.set === 'masquerade_outside' && element.address === '10.96.0.1',
    );
    const isExposed = ports.link.dumpVips().some((vip) => vip.address === '10.96.0.1');
    expect(guards || !isExposed).toBe(true);
    reconciler.retry();
    expectSettled(reconciler, ports);
  });

  it('to remove a virtual server leave its record, so that it goes later', async () => {
    const ports = await fakePorts();
    const reconciler = started(ports, web(), endpoints(one));
    ports.ipvs.failNext((operation) => operation.kind === 'remove-virtual-server', 'EIO');
    reconciler.changes([gone()]);
    expect(ports.ipvs.dump()).toHaveLength(1);
    reconciler.retry();
    expect([ports.ipvs.dump(), ports.filter.dump()]).toEqual([[], []]);
  });

  it('to hide a VIP leave its guards, so that it goes later', async () => {
    const ports = await fakePorts();
    const reconciler = started(ports, web(), endpoints(one));
    ports.link.failNext((operation) => operation.kind === 'remove-vip', 'EPERM');
    reconciler.changes([gone()]);
    expect(ports.link.dumpVips()).toHaveLength(1);
    reconciler.retry();
    expect([ports.link.dumpVips(), ports.filter.dump()]).toEqual([[], []]);
  });

  it.each(['ipvs', 'link', 'filter'] as const)('of lost replies of %s ask for an audit, which mends', async (name) => {
    const ports = await fakePorts();
    ports[name].loseNextReplies();
    const reconciler = started(ports, web(), endpoints(one));
    expect(reconciler.view.isUncertain).toBe(true);
    reconciler.audit();
    expect(reconciler.view.isUncertain).toBe(false);
    expectSettled(reconciler, ports);
  });
});

describe('draining', () => {
  function busy(ports: FakePorts, address: string, activeConnections: number): void {
    ports.ipvs.setConnections(webIdentity, { address, port: 8080 }, { activeConnections, inactiveConnections: 0 });
  }

  it('takes the weight first, and the destination with its last connection', async () => {
    const ports = await fakePorts();
    const reconciler = started(ports, web(), endpoints(one, two));
    busy(ports, '10.1.1.1', 1);
    reconciler.changes([endpoints(endpoint('10.1.1.1', terminating), two)]);
    expect(weights(ports)).toEqual({ '10.1.1.1:8080': 0, '10.1.1.2:8080': 1 });
    expect(drain(reconciler)).toBeUndefined();
    busy(ports, '10.1.1.1', 0);
    expect(kindsDone(drain(reconciler))).toEqual(['remove-destination']);
    expect(weights(ports)).toEqual({ '10.1.1.2:8080': 1 });
    expect(drain(reconciler)).toBeUndefined();
    expectSettled(reconciler, ports);
  });

  it('goes on after a restart, and gives a returning endpoint its weight back', async () => {
    const ports = await fakePorts();
    started(ports, web(), endpoints(one, two)).changes([endpoints(two)]);
    busy(ports, '10.1.1.1', 1);
    const again = started(ports, web(), endpoints(two));
    expect(again.view.drains.count).toBe(1);
    again.changes([endpoints(one, two)]);
    expect(weights(ports)).toEqual({ '10.1.1.1:8080': 1, '10.1.1.2:8080': 1 });
    expect(again.view.drains.count).toBe(0);
  });

  it('ends after the grace, which counts from when no slice lists the endpoint', async () => {
    let now = 0;
    const ports = await fakePorts();
    const reconciler = reconcilerOn(ports, { now: () => now, graceMs: 1_000 });
    reconciler.changes([web(), endpoints(one, two)]);
    reconciler.start();
    busy(ports, '10.1.1.1', 1);
    reconciler.changes([endpoints(endpoint('10.1.1.1', terminating), two)]);
    now = 50_000;
    expect(drain(reconciler)).toBeUndefined();
    reconciler.changes([endpoints(two)]);
    expect(drain(reconciler)).toBeUndefined();
    now = 50_999;
    expect(drain(reconciler)).toBeUndefined();
    now = 51_000;
    drain(reconciler);
    expect(weights(ports)).toEqual({ '10.1.1.2:8080': 1 });
  });

  it('does not forget what else failed on the virtual server', async () => {
    const ports = await fakePorts();
    const reconciler = started(ports, web(), endpoints(one));
    ports.ipvs.failNext((operation) => operation.kind === 'add-destination', 'ENOMEM');
    reconciler.changes([endpoints(two)]);
    drain(reconciler);
    reconciler.retry();
    expect(weights(ports)).toEqual({ '10.1.1.2:8080': 1 });
  });

  it('is tried again when the removal fails', async () => {
    const ports = await fakePorts();
    const reconciler = started(ports, web(), endpoints(one, two));
    reconciler.changes([endpoints(two)]);
    ports.ipvs.failNext((operation) => operation.kind === 'remove-destination', 'ENOMEM');
    drain(reconciler);
    reconciler.retry();
    drain(reconciler);
    expect(weights(ports)).toEqual({ '10.1.1.2:8080': 1 });
    expectSettled(reconciler, ports);
  });

  it('is nothing for UDP', async () => {
    const ports = await fakePorts();
    const udp = [{ name: '', protocol: 'UDP', port: 53 }] as const;
    const fact = service({ ports: [servicePort({ protocol: 'UDP', port: 53 })] });
    const reconciler = started(
      ports,
      ...sets({ kind: 'Service', fact }, { kind: 'EndpointSlice', fact: slice([one, two], { ports: udp }) }),
    );
    reconciler.changes(sets({ kind: 'EndpointSlice', fact: slice([two], { ports: udp }) }));
    expect(ports.ipvs.dump()[0]?.destinations.map((to) => to.address)).toEqual(['10.1.1.2']);
    expect(reconciler.view.drains.count).toBe(0);
  });
});

describe('the node', () => {
  it('that changes its address gives every VIP the new source', async () => {
    const ports = await fakePorts();
    const reconciler = started(ports, web(), endpoints(one));
    ports.link.setNodeAddresses(['192.168.0.2']);
    reconciler.setContext(context({ sources: { IPv4: '192.168.0.2', IPv6: undefined } }));
    expect(ports.link.dumpVips()).toMatchObject([{ address: '10.96.0.1', source: '192.168.0.2' }]);
    expectSettled(reconciler, ports);
  });

  it('that takes a VIP for its own address lets it go from the VIP interface', async () => {
    const ports = await fakePorts();
    const reconciler = started(ports, web({ externalIPs: ['192.0.2.1'] }), endpoints(one));
    reconciler.setContext(context({ nodeAddresses: new Set(['192.168.0.1', '192.0.2.1']) }));
    expect(ports.link.dumpVips().map((vip) => vip.address)).toEqual(['10.96.0.1']);
    expectSettled(reconciler, ports);
  });
});
