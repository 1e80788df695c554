import { describe, expect, it } from 'vitest';
import { context } from '../../support/context.ts';
import { drain } from '../../support/drain.ts';
import { node } from '../../support/facts.ts';
import { type FakePorts, fakePorts, reconcilerOn, sets, writes } from '../../support/node-ports.ts';
import { endpoints, expectSettled, gone, one, started, two, web, webIdentity, weights } from '../../support/web.ts';

function connect(ports: FakePorts, activeConnections: number): void {
  ports.ipvs.setConnections(
    webIdentity,
    { address: '10.1.1.1', port: 8080 },
    { activeConnections, inactiveConnections: 3 },
  );
}

/** Nothing of sluice's: no virtual server, no VIP, no element. */
function expectEmpty(ports: FakePorts): void {
  expect([ports.ipvs.dump(), ports.link.dumpVips(), ports.filter.dump()]).toEqual([[], [], []]);
}

describe('a deleted Service (#71894)', () => {
  it('goes at once when it has no established connection', async () => {
    const ports = await fakePorts();
    const reconciler = started(ports, web(), endpoints(one, two));
    connect(ports, 0);
    reconciler.changes([gone()]);
    expectEmpty(ports);
    expect(reconciler.view.lingering.size).toBe(0);
  });

  it('keeps its address and its connections, takes no new ones, and goes with the last of them', async () => {
    const ports = await fakePorts();
    const reconciler = started(ports, web(), endpoints(one, two));
    connect(ports, 1);
    const before = { vips: ports.link.dumpVips(), elements: ports.filter.dump() };
    reconciler.changes([gone()]);
    expect(weights(ports)).toEqual({ '10.1.1.1:8080': 0, '10.1.1.2:8080': 0 });
    expect({ vips: ports.link.dumpVips(), elements: ports.filter.dump() }).toEqual(before);
    expectSettled(reconciler, ports);
    expect(drain(reconciler)).toBeUndefined();
    connect(ports, 0);
    expect(drain(reconciler)?.trigger).toBe('drain');
    expectEmpty(ports);
    expect(reconciler.view.lingering.size).toBe(0);
  });

  it('goes when the grace is over, with connections too', async () => {
    const ports = await fakePorts();
    let now = 0;
    const reconciler = reconcilerOn(ports, { graceMs: 1_000, now: () => now });
    reconciler.changes([web(), endpoints(one)]);
    reconciler.start();
    connect(ports, 1);
    reconciler.changes([gone()]);
    now = 999;
    expect(drain(reconciler)).toBeUndefined();
    now = 1_000;
    drain(reconciler);
    expectEmpty(ports);
  });

  it('goes at once without a grace', async () => {
    const ports = await fakePorts();
    const reconciler = reconcilerOn(ports, { graceMs: 0 });
    reconciler.changes([web(), endpoints(one)]);
    reconciler.start();
    connect(ports, 1);
    reconciler.changes([gone()]);
    expectEmpty(ports);
  });

  it('lingers on after a restart', async () => {
    const ports = await fakePorts();
    const before = started(ports, web(), endpoints(one));
    connect(ports, 1);
    before.changes([gone()]);
    const count = writes(ports);
    const reconciler = started(ports);
    expect(writes(ports)).toBe(count);
    expect([...reconciler.view.lingering.keys()]).toEqual(['TCP 10.96.0.1:80']);
    connect(ports, 0);
    drain(reconciler);
    expectEmpty(ports);
  });

  it('that went while no agent ran lingers too', async () => {
    const ports = await fakePorts();
    started(ports, web(), endpoints(one));
    connect(ports, 1);
    const reconciler = started(ports);
    expect(weights(ports)).toEqual({ '10.1.1.1:8080': 0 });
    connect(ports, 0);
    drain(reconciler);
    expectEmpty(ports);
  });

  it('yields to a Service that takes its address, whose endpoints serve while the old ones drain', async () => {
    const ports = await fakePorts();
    const reconciler = started(ports, web(), endpoints(one));
    connect(ports, 1);
    reconciler.changes([gone()]);
    reconciler.changes([web({ createdAt: 9_000 }), endpoints(two)]);
    expect(weights(ports)).toEqual({ '10.1.1.1:8080': 0, '10.1.1.2:8080': 1 });
    expect(reconciler.view.lingering.size).toBe(0);
    reconciler.changes([gone()]);
    connect(ports, 0);
    drain(reconciler);
    expectEmpty(ports);
  });

  it('does not keep an address that is a Node’s by now', async () => {
    const ports = await fakePorts();
    const reconciler = started(ports, web(), endpoints(one));
    connect(ports, 1);
    const other = node({ name: 'node-b', addresses: ['10.96.0.1'], allAddresses: ['10.96.0.1'], podCIDRs: [] });
    reconciler.changes([gone(), ...sets({ kind: 'Node', fact: other })]);
    expectEmpty(ports);
  });

  it('keeps both views under externalTrafficPolicy Local', async () => {
    const ports = await fakePorts();
    const fields = { type: 'LoadBalancer', loadBalancerIPs: ['192.0.2.7'], externalTrafficPolicy: 'Local' } as const;
    const reconciler = reconcilerOn(ports, { context: context() });
    reconciler.changes([web(fields), endpoints(one)]);
    reconciler.start();
    const views = ports.ipvs.dump().filter(({ server }) => server.identity.kind === 'fwmark');
    expect(views).toHaveLength(1);
    const mark = views[0]?.server.identity ?? webIdentity;
    const counts = { activeConnections: 1, inactiveConnections: 0 };
    ports.ipvs.setConnections(mark, { address: '10.1.1.1', port: 8080 }, counts);
    reconciler.changes([gone()]);
    expect(ports.ipvs.dump().map(({ server }) => server.identity.kind)).toEqual(['address', 'fwmark']);
    expect(ports.link.dumpVips().map(({ address }) => address)).toEqual(['192.0.2.7']);
    expectSettled(reconciler, ports);
    ports.ipvs.setConnections(mark, { address: '10.1.1.1', port: 8080 }, { ...counts, activeConnections: 0 });
    drain(reconciler);
    expectEmpty(ports);
  });
});
