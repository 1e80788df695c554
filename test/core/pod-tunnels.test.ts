import { describe, expect, it } from 'vitest';
import { adoptReading } from '../../src/core/actual.ts';
import { type DesiredStore, emptyDesired, setContribution } from '../../src/core/desired.ts';
import type { WantedPodTunnel } from '../../src/core/model/resource.ts';
import { demandPodTunnels, noPodTunnels } from '../../src/core/pod-tunnels.ts';

const nothing = adoptReading({ virtualServers: [], vips: [], elements: [] });

/** The kernel sends into the tunnel of a pod. */
const tunnelTo = (address: string, weight: number) =>
  adoptReading({
    virtualServers: [
      {
        server: {
          identity: { kind: 'fwmark', family: 'IPv4', mark: 1 },
          scheduler: 'rr',
          flags: 0,
          timeoutSeconds: 0,
          prefixLength: 32,
        },
        destinations: [
          { address, port: 0, weight, forwarding: 'tunnel', activeConnections: 1, inactiveConnections: 0 },
        ],
      },
    ],
    vips: [],
    elements: [],
  });

const part = (given: Partial<WantedPodTunnel> = {}): WantedPodTunnel => ({
  address: '10.1.0.2',
  pod: 'default/web',
  vip: '198.51.100.7',
  encapsulation: 'ipip',
  service: 'default/web',
  ...given,
});

function contribute(desired: DesiredStore, service: string, ...parts: readonly WantedPodTunnel[]): void {
  const frontends = parts.map((value) => {
    const key = `pod-tunnel ${service} ${value.address} ${value.vip}`;
    return {
      key: `TCP ${value.vip}:80 ${service} ${value.address}`,
      resources: [{ kind: 'pod-tunnel', key, value }],
    } as const;
  });
  setContribution(desired, service, {
    service,
    createdAt: 0,
    scheduler: 'rr',
    frontends,
    refusals: [],
    localGaps: [],
  });
}

describe('the demand for pod tunnels', () => {
  it('joins what several Services want of a pod, the wider encapsulation of all', () => {
    const desired = emptyDesired();
    contribute(
      desired,
      'default/web',
      part(),
      part({ vip: '198.51.100.5' }),
      part({ address: '10.1.0.3', pod: 'default/b' }),
    );
    contribute(desired, 'default/gue', part({ service: 'default/gue', vip: '198.51.100.6', encapsulation: 'gue' }));
    expect([...demandPodTunnels(noPodTunnels(), desired, nothing).tunnels.values()]).toEqual([
      {
        address: '10.1.0.2',
        pod: 'default/web',
        vips: ['198.51.100.5', '198.51.100.6', '198.51.100.7'],
        encapsulation: 'gue',
      },
      { address: '10.1.0.3', pod: 'default/b', vips: ['198.51.100.7'], encapsulation: 'ipip' },
    ]);
  });

  it('is the same object while nothing of it changes', () => {
    const desired = emptyDesired();
    contribute(desired, 'default/web', part());
    const demand = demandPodTunnels(noPodTunnels(), desired, nothing);
    setContribution(desired, 'default/other', undefined);
    expect(demandPodTunnels(demand, desired, nothing)).toBe(demand);
  });

  it('ends with the last Service', () => {
    const desired = emptyDesired();
    contribute(desired, 'default/web', part());
    contribute(desired, 'default/two', part({ service: 'default/two' }));
    let demand = demandPodTunnels(noPodTunnels(), desired, nothing);
    setContribution(desired, 'default/web', undefined);
    demand = demandPodTunnels(demand, desired, nothing);
    expect([...demand.tunnels.keys()]).toEqual(['10.1.0.2']);
    setContribution(desired, 'default/two', undefined);
    demand = demandPodTunnels(demand, desired, nothing);
    expect([demand.tunnels.size, desired.podTunnels.size]).toEqual([0, 0]);
  });

  it('goes on while the pod has connections that drain, with all the VIPs that it had', () => {
    const desired = emptyDesired();
    contribute(desired, 'default/web', part(), part({ vip: '198.51.100.5' }));
    let demand = demandPodTunnels(noPodTunnels(), desired, nothing);
    contribute(desired, 'default/web', part());
    demand = demandPodTunnels(demand, desired, tunnelTo('10.1.0.2', 0));
    expect(demand.tunnels.get('10.1.0.2')?.vips).toEqual(['198.51.100.5', '198.51.100.7']);
    setContribution(desired, 'default/web', undefined);
    demand = demandPodTunnels(demand, desired, tunnelTo('10.1.0.2', 0));
    expect(demand.tunnels.get('10.1.0.2')?.vips).toEqual(['198.51.100.5', '198.51.100.7']);
    demand = demandPodTunnels(demand, desired, nothing);
    expect(demand.tunnels.size).toBe(0);
  });

  it('does not take a destination that serves for one that drains', () => {
    const desired = emptyDesired();
    contribute(desired, 'default/web', part(), part({ vip: '198.51.100.5' }));
    const demand = demandPodTunnels(noPodTunnels(), desired, nothing);
    contribute(desired, 'default/web', part());
    expect(demandPodTunnels(demand, desired, tunnelTo('10.1.0.2', 1)).tunnels.get('10.1.0.2')?.vips).toEqual([
      '198.51.100.7',
    ]);
  });
});
