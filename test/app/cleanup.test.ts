import { describe, expect, it } from 'vitest';
import { cleanUp } from '../../src/app/cleanup.ts';
import { ensureRecord } from '../../src/app/ownership.ts';
import { standingElements } from '../../src/core/standing-elements.ts';
import { cidrs, context } from '../support/context.ts';
import { localEndpoint, node, service, servicePort, slice } from '../support/facts.ts';
import { type FakePorts, fakePorts, reconcilerOn, sets, skeleton } from '../support/node-ports.ts';
import { destination, virtualServer } from '../support/servers.ts';

const rules = { nodeName: 'node-a', vipMode: 'address', excludedCIDRs: [] } as const;
const web = service({
  type: 'NodePort',
  ports: [servicePort({ nodePort: 30_080 })],
  externalTrafficPolicy: 'Local',
});

/** A node with a ClusterIP, node ports and inside views. */
async function programmed(): Promise<FakePorts> {
  const ports = await fakePorts();
  const reconciler = reconcilerOn(ports, { context: context({ podSources: cidrs('10.1.0.0/16') }) });
  reconciler.changes(
    sets(
      { kind: 'Node', fact: node() },
      { kind: 'Service', fact: web },
      { kind: 'EndpointSlice', fact: slice([localEndpoint('10.1.0.1')]) },
    ),
  );
  // The standing elements are not there before the start.
  expect(standingElements(reconciler.view.context)).toHaveLength(1);
  reconciler.start();
  expect(ports.ipvs.dump().map(({ server }) => server.identity.kind)).toContain('fwmark');
  return ports;
}

describe('cleanup', () => {
  it('tells of what stands outside the table only', async () => {
    const ports = await programmed();
    const { removed, failed } = cleanUp(ports, rules);
    expect(failed).toEqual([]);
    expect(removed.filter((line) => line.includes('element'))).toEqual([]);
  });

  it('leaves nothing behind of a version whose table had fewer sets', async () => {
    const ports = await programmed();
    ports.filter.forgetSets('service_ranges', 'restricted');
    const report = cleanUp(ports, rules);
    expect(report.kept).toEqual([]);
    expect(ports.ipvs.dump()).toEqual([]);
    expect(ports.link.dumpVips()).toEqual([]);
  });
});

describe('the record of a version whose table had fewer sets', () => {
  it('is no lost record: what others put on a VIP meanwhile stays theirs', async () => {
    const ports = await programmed();
    const identity = { kind: 'address', protocol: 'TCP', address: '10.96.0.1', port: 9443 } as const;
    ports.ipvs.apply([
      { kind: 'add-virtual-server', server: virtualServer('TCP', { identity }) },
      { kind: 'add-destination', identity, destination: destination('10.9.9.9') },
    ]);
    ports.filter.forgetSets('service_ranges', 'restricted');
    expect(await ensureRecord(ports, skeleton, [])).toEqual({ table: 'to-be-filled', unclear: [] });
    expect(ports.filter.dump(['virtual_servers'])).not.toContainEqual(expect.objectContaining({ port: 9443 }));
  });
});

describe('a lost record', () => {
  it('is recovered by the next attempt when what was recovered could not be written', async () => {
    const ports = await programmed();
    ports.filter.flushRuleset();
    ports.filter.failNext(({ element }) => element.set === 'virtual_servers', 'ENOMEM');
    await expect(ensureRecord(ports, skeleton, [web])).rejects.toThrow('ENOMEM');
    await ensureRecord(ports, skeleton, [web]);
    expect(ports.filter.dump(['virtual_servers'])).toContainEqual(
      expect.objectContaining({ address: '10.96.0.1', port: 80 }),
    );
  });
});
