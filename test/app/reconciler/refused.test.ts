import { describe, expect, it } from 'vitest';
import { refusalsIn } from '../../../src/app/reconciler/quarantine.ts';
import { refusalsOf } from '../../../src/core/desired.ts';
import type { ServiceFact } from '../../../src/core/model/facts.ts';
import { renderIpvs } from '../../../src/kernel/ipvs/render.ts';
import { context } from '../../support/context.ts';
import { endpoint, service } from '../../support/facts.ts';
import { fakePorts, sets, writes } from '../../support/node-ports.ts';
import { endpoints, expectSettled, one, started, two, web, webKey, weights } from '../../support/web.ts';

describe('what the kernel will never take', () => {
  it('is left out: a destination, until it changes', async () => {
    const ports = await fakePorts();
    const reconciler = started(ports, web(), endpoints(one, endpoint('224.0.0.1')));
    expect(weights(ports)).toEqual({ '10.1.1.1:8080': 1 });
    expect([...reconciler.view.failing]).toEqual([]);
    const before = writes(ports);
    reconciler.audit();
    expect(writes(ports)).toBe(before);
    reconciler.changes([endpoints(one, two)]);
    expectSettled(reconciler, ports);
  });

  it('does not keep another failure of the same virtual server from being tried again', async () => {
    const ports = await fakePorts();
    ports.ipvs.failNext(
      (operation) => operation.kind === 'add-destination' && operation.destination.address === '10.1.1.1',
      'ENOMEM',
    );
    const reconciler = started(ports, web(), endpoints(one, endpoint('224.0.0.1')));
    reconciler.retry();
    expect(weights(ports)).toEqual({ '10.1.1.1:8080': 1 });
    expect([...reconciler.view.failing]).toEqual([]);
  });

  it('is left out and told of: a virtual server, until it changes', async () => {
    const ports = await fakePorts();
    ports.ipvs.failNext((operation) => operation.kind === 'add-virtual-server', 'EINVAL');
    const reconciler = started(ports, web(), endpoints(one));
    expect([...reconciler.view.failing]).toEqual([]);
    expect(reconciler.retry()).toBeUndefined();
    expect(refusalsIn(reconciler.view, 'default/web')).toMatchObject([
      { reason: 'kernel-refused', subject: webKey, found: expect.stringContaining('EINVAL') },
    ]);
    const before = writes(ports);
    reconciler.audit();
    reconciler.changes([endpoints(one, two)]);
    expect(writes(ports)).toBe(before);
    reconciler.changes([web({ annotations: { 'sluice.dev/scheduler': 'lc' } })]);
    expect(weights(ports)).toEqual({ '10.1.1.1:8080': 1, '10.1.1.2:8080': 1 });
    expect(refusalsIn(reconciler.view, 'default/web')).toEqual([]);
    expectSettled(reconciler, ports);
  });

  it('is left out and told of: the new settings of a virtual server, which stays as it was and follows its endpoints', async () => {
    const ports = await fakePorts();
    const reconciler = started(ports, web(), endpoints(one));
    ports.ipvs.failNext((operation) => operation.kind === 'edit-virtual-server', 'EINVAL');
    reconciler.changes([web({ annotations: { 'sluice.dev/scheduler': 'lc' } })]);
    reconciler.changes([endpoints(one, two)]);
    expect(renderIpvs(ports.ipvs.dump())).toContain(' rr');
    expect(weights(ports)).toEqual({ '10.1.1.1:8080': 1, '10.1.1.2:8080': 1 });
    expect(reconciler.retry()).toBeUndefined();
    expect(refusalsIn(reconciler.view, 'default/web')).toHaveLength(1);
    reconciler.changes([web()]);
    expect(refusalsIn(reconciler.view, 'default/web')).toEqual([]);
    expectSettled(reconciler, ports);
  });

  it('is told of while an endpoint is wanted that it does not take', async () => {
    const ports = await fakePorts();
    const reconciler = started(ports, web(), endpoints(one, endpoint('224.0.0.1')));
    expect(refusalsIn(reconciler.view, 'default/web')).toMatchObject([
      { reason: 'kernel-refused', subject: `224.0.0.1:8080 of ${webKey}` },
    ]);
    reconciler.changes([endpoints(one)]);
    expect(refusalsIn(reconciler.view, 'default/web')).toEqual([]);
  });

  it('is asked again when the node looks different', async () => {
    const ports = await fakePorts();
    ports.ipvs.failNext((operation) => operation.kind === 'add-virtual-server', 'EAFNOSUPPORT');
    const reconciler = started(ports, web(), endpoints(one));
    reconciler.setContext(context({ masqueradeAll: true }));
    expect(refusalsIn(reconciler.view, 'default/web')).toEqual([]);
    expectSettled(reconciler, ports);
  });

  it('is a scheduler: its Services use the default, and say so', async () => {
    const ports = await fakePorts({ schedulers: ['rr', 'lc'] });
    const fact: ServiceFact = service({ annotations: { 'sluice.dev/scheduler': 'mh' } });
    const reconciler = started(
      ports,
      ...sets({ kind: 'Service', fact }),
      endpoints(one),
      web({ name: 'other', clusterIPs: ['10.96.0.2'], annotations: { 'sluice.dev/scheduler': 'mh' } }),
    );
    expect(ports.ipvs.dump().map((state) => state.server.scheduler)).toEqual(['rr', 'rr']);
    expect(refusalsOf(reconciler.view.desired, 'default/web').map(({ reason }) => reason)).toEqual([
      'scheduler-not-in-kernel',
    ]);
    expect([...reconciler.view.failing]).toEqual([]);
    expectSettled(reconciler, ports);
    const before = writes(ports);
    reconciler.setContext(context());
    expect(writes(ports)).toBe(before);
  });

  it('is a scheduler that a Service changes to: the old one goes over to the default', async () => {
    const ports = await fakePorts({ schedulers: ['rr', 'lc'] });
    const reconciler = started(ports, web({ annotations: { 'sluice.dev/scheduler': 'lc' } }), endpoints(one));
    reconciler.changes([web({ annotations: { 'sluice.dev/scheduler': 'sed' } })]);
    expect(ports.ipvs.dump().map((state) => state.server.scheduler)).toEqual(['rr']);
    expectSettled(reconciler, ports);
  });

  it('is a scheduler: the pass that takes its Services to the default is told of too', async () => {
    const ports = await fakePorts({ schedulers: ['rr', 'lc'] });
    const reconciler = started(ports, web(), endpoints(one));
    const outcome = reconciler.changes([web({ annotations: { 'sluice.dev/scheduler': 'sed' } })]);
    expect(outcome?.execution.failed.map(({ remedy }) => remedy)).toEqual(['scheduler-missing']);
    expect(outcome?.followedBy).toMatchObject({ trigger: 'retry', services: ['default/web'] });
    expect(outcome?.followedBy?.followedBy).toBeUndefined();
  });
});
