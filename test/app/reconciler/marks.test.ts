import { describe, expect, it } from 'vitest';
import type { Reconciler } from '../../../src/app/reconciler/reconciler.ts';
import type { FactChange } from '../../../src/core/model/facts.ts';
import { localEndpoint, service, slice } from '../../support/facts.ts';
import { fakePorts, reconcilerOn, sets } from '../../support/node-ports.ts';
import { expectSettled, gone, two } from '../../support/web.ts';

describe('firewall marks', () => {
  const outside = { externalTrafficPolicy: 'Local', type: 'LoadBalancer' } as const;
  const local = localEndpoint('10.1.0.1');

  /** A Service with an inside view; the mask of these tests has room for two: all of its bits together steer. */
  function viewed(number: number): readonly FactChange[] {
    const name = `viewed-${number}`;
    return sets(
      {
        kind: 'Service',
        fact: service({
          ...outside,
          name,
          createdAt: number,
          clusterIPs: [`10.96.1.${number}`],
          loadBalancerIPs: [`192.0.2.${number}`],
        }),
      },
      { kind: 'EndpointSlice', fact: slice([local, two], { key: `default/${name}-1`, service: `default/${name}` }) },
    );
  }

  async function narrow(...batch: readonly FactChange[]) {
    const ports = await fakePorts();
    const reconciler = reconcilerOn(ports, { fwmarkMask: 0x0000_0300 });
    reconciler.changes(batch);
    reconciler.start();
    return { ports, reconciler };
  }

  const withoutMark = (reconciler: Reconciler): readonly string[] =>
    [...reconciler.view.desired.contributions.values()]
      .filter(({ refusals }) => refusals.some(({ reason }) => reason === 'fwmarks-exhausted'))
      .map(({ service: key }) => key)
      .sort();

  it('that become free go to the oldest Service that had to do without', async () => {
    const { ports, reconciler } = await narrow(...[1, 2, 5, 4].flatMap(viewed));
    reconciler.changes([...viewed(6)]);
    expect(withoutMark(reconciler)).toEqual(['default/viewed-4', 'default/viewed-5', 'default/viewed-6']);
    const outcome = reconciler.changes([gone('viewed-2')]);
    expect(outcome?.followedBy).toMatchObject({ trigger: 'retry', services: ['default/viewed-4'] });
    expect(withoutMark(reconciler)).toEqual(['default/viewed-5', 'default/viewed-6']);
    expectSettled(reconciler, ports);
  });

  it('become free only when the kernel has let go of them', async () => {
    const { ports, reconciler } = await narrow(...[1, 2, 4].flatMap(viewed));
    ports.ipvs.failNext(
      (operation) => operation.kind === 'remove-virtual-server' && operation.identity.kind === 'fwmark',
      'ENOMEM',
    );
    reconciler.changes([gone('viewed-1')]);
    expect(withoutMark(reconciler)).toEqual(['default/viewed-4']);
    reconciler.retry();
    expect(withoutMark(reconciler)).toEqual([]);
    expectSettled(reconciler, ports);
  });

  it('go to nobody else as long as a frontend still leads to them', async () => {
    const { ports, reconciler } = await narrow(...[1, 2, 4].flatMap(viewed));
    const marks = (address: string): readonly number[] =>
      (ports.filter.dump(['inside_view']) ?? []).flatMap((element) =>
        element.set === 'inside_view' && element.address === address ? [element.mark] : [],
      );
    const [mark] = marks('192.0.2.1');
    ports.filter.failNext(({ kind, element }) => kind === 'remove-element' && element.set === 'inside_view', 'ENOMEM');
    const policy = { ...outside, externalTrafficPolicy: 'Cluster', name: 'viewed-1', createdAt: 1 } as const;
    const fact = service({ ...policy, clusterIPs: ['10.96.1.1'], loadBalancerIPs: ['192.0.2.1'] });
    reconciler.changes(sets({ kind: 'Service', fact }));
    expect(marks('192.0.2.1')).toEqual([mark]);
    expect(marks('192.0.2.4')).toEqual([]);
    reconciler.retry();
    expect(marks('192.0.2.1')).toEqual([]);
    expect(marks('192.0.2.4')).toEqual([mark]);
    expectSettled(reconciler, ports);
  });

  it('are not looked for by a Service that is gone', async () => {
    const { ports, reconciler } = await narrow(...[1, 2, 4].flatMap(viewed));
    reconciler.changes([gone('viewed-4')]);
    expect(reconciler.changes([gone('viewed-2')])?.followedBy).toBeUndefined();
    expectSettled(reconciler, ports);
  });
});
