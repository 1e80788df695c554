import { describe, expect, it } from 'vitest';
import { refusalsOf } from '../../../src/core/desired.ts';
import type { FactChange, ServiceFact } from '../../../src/core/model/facts.ts';
import { countOperations } from '../../../src/core/plan.ts';
import { context } from '../../support/context.ts';
import { endpoint, node, service, servicePort, slice } from '../../support/facts.ts';
import { type FakePorts, fakePorts, reconcilerOn, sets } from '../../support/node-ports.ts';

function setNode(fields: Parameters<typeof node>[0]): FactChange {
  return { change: 'set', kind: 'Node', fact: node({ name: 'node-b', podCIDRs: [], ...fields }) };
}

function serviceAt(name: string, last: number, fields: Partial<ServiceFact> = {}): FactChange {
  const fact = service({ name, clusterIPs: [`10.96.0.${last}`], ...fields });
  return { change: 'set', kind: 'Service', fact };
}

/** Three Services, of which `web` is reached at 192.0.2.1 from outside, `ports` at a node port. */
async function started(): Promise<{ readonly ports: FakePorts; readonly reconciler: ReturnType<typeof reconcilerOn> }> {
  const ports = await fakePorts();
  const reconciler = reconcilerOn(ports);
  reconciler.changes([
    serviceAt('web', 1, { externalIPs: ['192.0.2.1'] }),
    serviceAt('ports', 2, { ports: [servicePort({ nodePort: 30_080 })] }),
    serviceAt('plain', 3),
    ...sets({ kind: 'EndpointSlice', fact: slice([endpoint('10.1.0.1', { zoneHints: ['zone-a'] })]) }),
  ]);
  reconciler.start();
  return { ports, reconciler };
}

function vips(ports: FakePorts): readonly string[] {
  return ports.link
    .dumpVips()
    .map(({ address }) => address)
    .sort();
}

describe('a Node that comes with the address of a VIP', () => {
  it('takes the VIP from its Service at once, and nobody else is compiled', async () => {
    const { ports, reconciler } = await started();
    expect(vips(ports)).toContain('192.0.2.1');
    const outcome = reconciler.changes([setNode({ allAddresses: ['192.0.2.1'] })]);
    expect(outcome?.services).toEqual(['default/web']);
    expect(vips(ports)).toEqual(['10.96.0.1', '10.96.0.2', '10.96.0.3']);
    expect(ports.ipvs.dump().map(({ server }) => server.identity)).not.toContainEqual(
      expect.objectContaining({ address: '192.0.2.1' }),
    );
    expect(refusalsOf(reconciler.view.desired, 'default/web')).toEqual([
      {
        reason: 'address-of-a-node',
        subject: 'spec.externalIPs',
        found: '192.0.2.1',
        expected: 'no address of a Node; Node node-b has it',
      },
    ]);
  });

  it('gives it back when it is gone', async () => {
    const { ports, reconciler } = await started();
    reconciler.changes([setNode({ allAddresses: ['192.0.2.1'] })]);
    const outcome = reconciler.changes([{ change: 'delete', kind: 'Node', key: 'node-b' }]);
    expect(outcome?.services).toEqual(['default/web']);
    expect(vips(ports)).toContain('192.0.2.1');
    expect(refusalsOf(reconciler.view.desired, 'default/web')).toEqual([]);
  });

  it.each([
    ['with another address', { allAddresses: ['192.0.2.9'] }],
    ['with a taint', { eligible: false, allAddresses: [] }],
  ])('causes no pass when it comes %s', async (_, fields) => {
    const { reconciler } = await started();
    expect(reconciler.changes([setNode(fields)])).toBeUndefined();
  });
});

describe('a context that differs', () => {
  it.each([
    ['in nothing', {}, undefined],
    ['in the order of addresses', { nodePortAddresses: ['fd00:100::1', '192.168.0.1'] }, undefined],
    ['in the addresses of node ports', { nodePortAddresses: ['192.168.0.1'] }, ['default/ports']],
    ['in the zone', { node: { name: 'node-a', zone: 'zone-b' } }, ['default/web']],
    ['in an address that nobody has', { nodeAddresses: new Set(['127.0.0.1', '::1', '192.168.0.1']) }, []],
    ['in an address of a Service', { broadcastAddresses: new Set(['192.168.0.255', '192.0.2.1']) }, ['default/web']],
    [
      'in the source',
      { sources: { IPv4: undefined, IPv6: undefined } },
      ['default/plain', 'default/ports', 'default/web'],
    ],
  ])('%s compiles no more than it touches', async (_, fields, expected) => {
    const { reconciler } = await started();
    const outcome = reconciler.setContext(context(fields));
    expect([...(outcome?.services ?? [])].toSorted()).toEqual(expected ?? []);
  });

  it('in a ClusterIP that the node has itself lets the VIP go and keeps the virtual server', async () => {
    const { ports, reconciler } = await started();
    const nodeAddresses = new Set(['127.0.0.1', '::1', '192.168.0.1', 'fd00:100::1', '10.96.0.3']);
    expect(reconciler.setContext(context({ nodeAddresses }))?.services).toEqual(['default/plain']);
    expect(vips(ports)).not.toContain('10.96.0.3');
    expect(ports.ipvs.dump().map(({ server }) => server.identity)).toContainEqual(
      expect.objectContaining({ address: '10.96.0.3' }),
    );
    expect(countOperations(reconciler.audit().plan)).toBe(0);
  });
});
