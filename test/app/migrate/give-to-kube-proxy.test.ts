/** kube-proxy goes on with its syncs while the node is given back to it. */

import { beforeEach, describe, expect, it } from 'vitest';
import { giveToKubeProxy } from '../../../src/app/migrate/hand-over.ts';
import { fakeIpset } from '../../../src/kernel/fake/ipset.ts';
import { fakeIptables } from '../../../src/kernel/fake/iptables.ts';
import { type FakeOtherInterface, fakeOtherInterface } from '../../../src/kernel/fake/other-interface.ts';
import type { IptablesPort } from '../../../src/kernel/iptables/open-iptables.ts';
import { localEndpoint, node, service, slice } from '../../support/facts.ts';
import { type FakePorts, fakePorts, reconcilerOn, sets } from '../../support/node-ports.ts';

const its = 'kube-ipvs0';
const clusterIP = '10.96.0.1';
const externalIP = '198.51.100.7';
const rules = { nodeName: 'node-a', vipMode: 'address', excludedCIDRs: [] } as const;
const masquerade = '*nat\n:KUBE-POSTROUTING - [0:0]\n-A KUBE-POSTROUTING -j MASQUERADE\nCOMMIT\n';

let ports: FakePorts;
let interfaces: FakeOtherInterface;
let iptables: IptablesPort;

beforeEach(async () => {
  ports = await fakePorts();
  interfaces = fakeOtherInterface();
  iptables = fakeIptables(fakeIpset());
  await iptables.restore('nft', 'IPv4', masquerade);
  const reconciler = reconcilerOn(ports);
  reconciler.changes(
    sets(
      { kind: 'Node', fact: node() },
      { kind: 'Service', fact: service({ clusterIPs: [clusterIP], externalIPs: [externalIP] }) },
      { kind: 'EndpointSlice', fact: slice([localEndpoint('10.1.0.1')]) },
    ),
  );
  reconciler.start();
  // All that it has where another interface has the rest.
  interfaces.addLink(its, 'dummy', [clusterIP]);
});

describe('giving the node to kube-proxy', () => {
  it('puts the address that its own syncs leave out on its interface', async () => {
    expect(await give()).toMatchObject({ failed: [] });
    expect(interfaces.addresses(its)).toEqual([clusterIP, externalIP]);
    expect(ports.link.dumpVips()).toEqual([]);
  });

  it.each([1, 10, 49])('puts an address back that a sync takes away at its end, %i pauses later', async (pauses) => {
    const endSync = syncInTheMiddle();
    const seen: unknown[] = [];
    const report = await give(() => {
      seen.push(interfaces.addresses(its));
      if (seen.length === pauses) endSync();
    });
    expect(report).toMatchObject({ failed: [] });
    expect(seen).toEqual(seen.map(() => [clusterIP, externalIP]));
    expect(seen.length).toBeGreaterThan(pauses);
  });

  it('puts it back as well where something of sluice’s could not be removed', async () => {
    ports.link.failNext(({ kind }) => kind === 'remove-vip', 'EPERM');
    const endSync = syncInTheMiddle();
    let pauses = 0;
    const report = await give(() => {
      pauses += 1;
      if (pauses === 1) endSync();
    });
    expect(pauses).toBeGreaterThan(1);
    expect(report.failed).toEqual([expect.objectContaining({ what: expect.stringContaining('VIP') })]);
    expect(interfaces.addresses(its)).toEqual([clusterIP, externalIP]);
  });

  it('leaves nothing to do for a sync that began after it', async () => {
    await give();
    beginSync()();
    expect(interfaces.addresses(its)).toEqual([clusterIP, externalIP]);
  });

  it('says so and ends when the interface is gone', async () => {
    let pauses = 0;
    const report = await give(() => {
      pauses += 1;
      interfaces.remove(its);
    });
    expect(report.failed).toEqual([{ what: `VIPs on ${its}`, error: expect.stringContaining('ENODEV') }]);
    expect(pauses).toBe(2);
  });
});

function give(onPause: () => void = () => {}): ReturnType<typeof giveToKubeProxy> {
  const pause = (): Promise<void> => Promise.resolve(onPause());
  return giveToKubeProxy({ ports, others: { interfaces, iptables }, rules, pause });
}

/**
 * A sync looks at the addresses when it begins, and at its end takes those from its interface that it found there and on
 * another one (pkg/proxy/ipvs/proxier.go, syncProxyRules). Returns its end.
 */
function beginSync(): () => void {
  const found = interfaces.addresses(its) ?? [];
  const elsewhere = new Set(ports.link.dumpVips().map(({ address }) => address));
  const superfluous = new Set(found.filter((address) => address !== clusterIP && elsewhere.has(address)));
  return () => {
    const now = interfaces.addresses(its) ?? [];
    interfaces.addLink(
      its,
      'dummy',
      now.filter((address) => !superfluous.has(address)),
    );
  };
}

/** Begins as soon as the VIPs are on both interfaces. Returns its end. */
function syncInTheMiddle(): () => void {
  let end: (() => void) | undefined;
  const before = interfaces;
  interfaces = {
    ...before,
    addAddresses: (name, addresses) => {
      before.addAddresses(name, addresses);
      end ??= beginSync();
    },
  };
  return () => {
    end?.();
    expect(interfaces.addresses(its)).toEqual([clusterIP]);
  };
}
