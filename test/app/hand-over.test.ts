import { describe, expect, it } from 'vitest';
import { handOverKernel } from '../../src/app/migrate/hand-over.ts';
import { virtualServerKey } from '../../src/core/keys.ts';
import { cidrs, context } from '../support/context.ts';
import { localEndpoint, node, service, servicePort, slice } from '../support/facts.ts';
import { type FakePorts, fakePorts, reconcilerOn, sets } from '../support/node-ports.ts';
import { destination, virtualServer } from '../support/servers.ts';

const rules = { nodeName: 'node-a', vipMode: 'address', excludedCIDRs: [] } as const;
const plain = ['TCP 10.96.0.1:80', 'TCP 192.168.0.1:30080'];

describe('handing over to kube-proxy', () => {
  it('leaves the plain virtual servers with their destinations, and nothing else', async () => {
    const ports = await programmed();
    const before = ports.ipvs.dump().filter(({ server }) => server.identity.kind === 'address');
    const { removed, kept, failed } = handOverKernel(ports, rules);
    expect({ kept, failed }).toEqual({ kept: [], failed: [] });
    expect(removed).toEqual(
      expect.arrayContaining([expect.stringMatching(/^virtual server FWM /), 'VIP 10.96.0.1', 'VIP interface']),
    );
    expect(ports.ipvs.dump()).toEqual(before);
    expect(before.map(({ server }) => virtualServerKey(server.identity)).sort()).toEqual(plain);
    expect(ports.link.dumpVips()).toEqual([]);
    expect(ports.filter.dump()).toBeUndefined();
  });

  it('keeps a virtual server by firewall mark, and its record, until its connections have ended', async () => {
    const ports = await programmed();
    const marked = ports.ipvs.dump().find(({ server }) => server.identity.kind === 'fwmark');
    const [there] = marked?.destinations ?? [];
    if (marked === undefined || there === undefined) throw new Error('nothing has a firewall mark');
    const { identity } = marked.server;
    ports.ipvs.setConnections(identity, there, { activeConnections: 2, inactiveConnections: 1 });
    expect(handOverKernel(ports, rules).kept).toEqual([
      { what: `virtual server ${virtualServerKey(identity)}`, why: expect.stringContaining('3 connections') },
    ]);
    expect(ports.filter.dump()?.map(({ set }) => set)).toEqual(['fwmarks']);
    expect(ports.ipvs.dumpMarks()).toEqual([identity]);
    ports.ipvs.setConnections(identity, there, { activeConnections: 0, inactiveConnections: 0 });
    expect(handOverKernel(ports, rules).kept).toEqual([]);
    expect(ports.filter.dump()).toBeUndefined();
    expect(ports.ipvs.dumpMarks()).toEqual([]);
    expect(
      ports.ipvs
        .dump()
        .map(({ server }) => virtualServerKey(server.identity))
        .sort(),
    ).toEqual(plain);
  });

  it('asks nothing of virtual servers by firewall mark that are others’', async () => {
    const ports = await programmed();
    const identity = { kind: 'fwmark', family: 'IPv4', mark: 9 } as const;
    const theirs = destination('10.9.9.9');
    ports.ipvs.apply([
      { kind: 'add-virtual-server', server: virtualServer('TCP', { identity }) },
      { kind: 'add-destination', identity, destination: theirs },
    ]);
    ports.ipvs.setConnections(identity, theirs, { activeConnections: 1, inactiveConnections: 0 });
    expect(handOverKernel(ports, rules).kept).toEqual([]);
    expect(ports.filter.dump()).toBeUndefined();
    expect(ports.ipvs.dumpMarks()).toEqual([identity]);
  });
});

/** A node with a ClusterIP, a node port and inside views. */
async function programmed(): Promise<FakePorts> {
  const ports = await fakePorts();
  const reconciler = reconcilerOn(ports, { context: context({ podSources: cidrs('10.1.0.0/16') }) });
  const web = service({
    type: 'NodePort',
    ports: [servicePort({ nodePort: 30_080 })],
    externalTrafficPolicy: 'Local',
  });
  reconciler.changes(
    sets(
      { kind: 'Node', fact: node() },
      { kind: 'Service', fact: web },
      { kind: 'EndpointSlice', fact: slice([localEndpoint('10.1.0.1')]) },
    ),
  );
  reconciler.start();
  return ports;
}
