import { describe, expect, it } from 'vitest';
import type { Reconciler } from '../../../src/app/reconciler/reconciler.ts';
import { refusalsOf } from '../../../src/core/desired.ts';
import type { EndpointFact, FactChange } from '../../../src/core/model/facts.ts';
import { isViewElement } from '../../../src/core/model/filter-element.ts';
import type { PodTunnelState } from '../../../src/core/model/pod-tunnel.ts';
import { context } from '../../support/context.ts';
import { drain } from '../../support/drain.ts';
import { endpoint, localEndpoint, notReady, servicePort, slice } from '../../support/facts.ts';
import { type FakePorts, fakePorts, reconcilerOn, sets } from '../../support/node-ports.ts';
import { expectSettled, gone, web } from '../../support/web.ts';

const VIP = '192.0.2.7';
const local = localEndpoint('10.1.0.1', { target: 'near' });
const remote = endpoint('10.1.1.1');
const tunnel = { 'sluice.dev/dsr': 'tunnel' };

function direct(fields: Parameters<typeof web>[0] = {}): FactChange {
  return web({ annotations: tunnel, externalIPs: [VIP], ports: [servicePort({ port: 8080 })], ...fields });
}

function endpoints(...list: readonly EndpointFact[]): readonly FactChange[] {
  return sets({ kind: 'EndpointSlice', fact: slice(list) });
}

function withTunnels(states: Readonly<Record<string, PodTunnelState>>) {
  return context({ hasDirectReturn: true, podTunnels: new Map(Object.entries(states)) });
}

async function start(batch: readonly FactChange[], states: Readonly<Record<string, PodTunnelState>> = {}) {
  const ports = await fakePorts();
  const reconciler = reconcilerOn(ports, { context: withTunnels(states) });
  reconciler.changes(batch);
  reconciler.start();
  return { ports, reconciler };
}

/** The destinations of the virtual server for clients outside; undefined without one. */
function directly(ports: FakePorts): readonly string[] | undefined {
  const [view] = (ports.filter.dump(['direct_view']) ?? []).filter(isViewElement);
  const servers = ports.ipvs.dump();
  const found = servers.find(({ server: { identity } }) => identity.kind === 'fwmark' && identity.mark === view?.mark);
  return found?.destinations.map(({ address, forwarding, weight }) => `${address} ${forwarding} ${weight}`).sort();
}

function isSteered(ports: FakePorts): boolean {
  return ports.link.dumpVips().some((vip) => vip.address === VIP && vip.isSteered === true);
}

function refused(reconciler: Reconciler): readonly string[] {
  return refusalsOf(reconciler.view.desired, 'default/web').map(({ reason }) => reason);
}

describe('direct return', () => {
  it('sends clients outside to endpoints of other nodes through a tunnel, at VIPs alone', async () => {
    const { ports, reconciler } = await start([direct(), ...endpoints(remote)]);
    expect(directly(ports)).toEqual(['10.1.1.1 tunnel 1']);
    expect(isSteered(ports)).toBe(true);
    expect(ports.filter.dump(['direct_view'])).toMatchObject([{ address: VIP, port: 8080 }]);
    expectSettled(reconciler, ports);
  });

  it('takes an endpoint of this node when its pod is prepared, and lets it go when it is not any more', async () => {
    const { ports, reconciler } = await start([direct(), ...endpoints(local, remote)]);
    expect(directly(ports)).toEqual(['10.1.1.1 tunnel 1']);
    reconciler.setContext(withTunnels({ '10.1.0.1': { kind: 'prepared', vips: [VIP] } }));
    expect(directly(ports)).toEqual(['10.1.0.1 tunnel 1', '10.1.1.1 tunnel 1']);
    const failed = { kind: 'failed', reason: 'pod-tunnel-refused', found: 'EPERM', expected: 'a tunnel' } as const;
    reconciler.setContext(withTunnels({ '10.1.0.1': failed }));
    expect(directly(ports)).toEqual(['10.1.0.1 tunnel 0', '10.1.1.1 tunnel 1']);
    expect(refused(reconciler)).toEqual(['pod-tunnel-refused']);
    expectSettled(reconciler, ports);
  });

  it('keeps the place of a pod that is not prepared where mh chooses, whose table follows the order of destinations', async () => {
    const withHash = direct({ annotations: { ...tunnel, 'sluice.dev/scheduler': 'mh' } });
    const { ports, reconciler } = await start([withHash, ...endpoints(local, remote)]);
    expect(directly(ports)).toEqual(['10.1.0.1 tunnel 0', '10.1.1.1 tunnel 1']);
    reconciler.setContext(withTunnels({ '10.1.0.1': { kind: 'prepared', vips: [VIP] } }));
    expect(directly(ports)).toEqual(['10.1.0.1 tunnel 1', '10.1.1.1 tunnel 1']);
    expectSettled(reconciler, ports);
    reconciler.changes(endpoints(local));
    reconciler.setContext(withTunnels({}));
    expect([directly(ports), isSteered(ports)]).toEqual([undefined, false]);
  });

  it('takes the answers of a prepared pod for no forgeries, before it is ready and on whatever node it is asked', async () => {
    const prepared = { '10.1.0.1': { kind: 'prepared', vips: [VIP] } } as const;
    const { ports, reconciler } = await start([direct(), ...endpoints({ ...local, ...notReady })], prepared);
    expect([directly(ports), isSteered(ports)]).toEqual([undefined, true]);
    expectSettled(reconciler, ports);
  });

  it('serves clients outside like all others while no endpoint is ready to answer', async () => {
    const { ports, reconciler } = await start([direct(), ...endpoints(local)]);
    expect([directly(ports), isSteered(ports)]).toEqual([undefined, false]);
    reconciler.setContext(withTunnels({ '10.1.0.1': { kind: 'prepared', vips: [VIP] } }));
    expect([directly(ports), isSteered(ports)]).toEqual([['10.1.0.1 tunnel 1'], true]);
    expectSettled(reconciler, ports);
  });

  it('asks for a tunnel in the pod before it is ready, and while it terminates', async () => {
    for (const condition of [
      { ready: false, serving: false },
      { ready: false, terminating: true },
    ]) {
      const { reconciler } = await start([direct(), ...endpoints({ ...local, ...condition }, remote)]);
      const wanted = [...reconciler.view.desired.resources.values()].flatMap((resource) =>
        resource.kind === 'pod-tunnel' ? [resource.value] : [],
      );
      expect(wanted).toEqual([
        { address: '10.1.0.1', pod: 'default/near', vip: VIP, encapsulation: 'ipip', service: 'default/web' },
      ]);
    }
  });

  it('comes and goes with the annotation, without a touch to the plain virtual server', async () => {
    const { ports, reconciler } = await start([direct({ annotations: {} }), ...endpoints(remote)]);
    const plain = () =>
      ports.ipvs.dump().find(({ server: { identity } }) => 'address' in identity && identity.address === VIP);
    const before = plain();
    reconciler.changes([direct()]);
    expect([directly(ports), isSteered(ports)]).toEqual([['10.1.1.1 tunnel 1'], true]);
    expect(plain()).toEqual(before);
    reconciler.changes([direct({ annotations: {} })]);
    expect([directly(ports), isSteered(ports)]).toEqual([undefined, false]);
    expect(plain()).toEqual(before);
    expectSettled(reconciler, ports);
  });

  it.each([
    ['direct-return-port-differs', direct({ ports: [servicePort({ port: 80 })] }), remote],
    ['direct-return-host-network', direct(), endpoint('192.168.0.1')],
  ] as const)('is refused as a whole for %s', async (reason, service, backend) => {
    const { ports, reconciler } = await start([service, ...endpoints(backend)]);
    expect(refused(reconciler)).toEqual([reason]);
    expect([directly(ports), isSteered(ports)]).toEqual([undefined, false]);
  });

  it('is refused where it is off', async () => {
    const { ports, reconciler } = await start([direct(), ...endpoints(remote)]);
    reconciler.setContext(context());
    expect(refused(reconciler)).toEqual(['direct-return-off']);
    expect([directly(ports), isSteered(ports)]).toEqual([undefined, false]);
    expectSettled(reconciler, ports);
  });

  it('keeps its mark over a restart, and writes nothing', async () => {
    const { ports } = await start([direct(), ...endpoints(remote)]);
    const before = ports.filter.dump(['direct_view']);
    const again = reconcilerOn(ports, { context: withTunnels({}) });
    again.changes([direct(), ...endpoints(remote)]);
    expect(again.start().execution.performed).toHaveLength(0);
    expect(ports.filter.dump(['direct_view'])).toEqual(before);
  });

  it('of a deleted Service goes on for the connections that it has', async () => {
    const { ports, reconciler } = await start([direct(), ...endpoints(remote)]);
    const [{ server }] = ports.ipvs.dump().filter(({ server: { identity } }) => identity.kind === 'fwmark') as [
      ReturnType<typeof ports.ipvs.dump>[number],
    ];
    const destination = { address: '10.1.1.1', port: 8080 };
    ports.ipvs.setConnections(server.identity, destination, { activeConnections: 1, inactiveConnections: 0 });
    reconciler.changes([gone()]);
    expect([directly(ports), isSteered(ports)]).toEqual([['10.1.1.1 tunnel 0'], true]);
    expectSettled(reconciler, ports);
    ports.ipvs.setConnections(server.identity, destination, { activeConnections: 0, inactiveConnections: 0 });
    drain(reconciler);
    expect([ports.ipvs.dump(), ports.link.dumpVips(), ports.filter.dump()]).toEqual([[], [], []]);
  });
});
