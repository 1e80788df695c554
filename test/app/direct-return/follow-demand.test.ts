import { describe, expect, it } from 'vitest';
import { followDemand } from '../../../src/app/direct-return/follow-demand.ts';
import type { ReconcilerView } from '../../../src/app/reconciler/state.ts';
import { adoptReading } from '../../../src/core/actual.ts';
import { emptyDesired, setContribution } from '../../../src/core/desired.ts';
import type { PodTunnel } from '../../../src/core/model/pod-tunnel.ts';

describe('what is wanted of pods', () => {
  it('is told after the first pass, if only that it is nothing, and then only when it changes', () => {
    const told: ReadonlyMap<string, PodTunnel>[] = [];
    const follow = followDemand({ want: (tunnels) => told.push(tunnels) });
    const desired = emptyDesired();
    const actual = adoptReading({ virtualServers: [], vips: [], elements: [] });
    const pass = (isStarted = true): void => follow({ desired, actual, isStarted } as ReconcilerView);
    pass(false);
    expect(told).toEqual([]);
    pass();
    pass();
    expect(told).toEqual([new Map()]);
    const value = {
      address: '10.1.0.2',
      pod: 'a/b',
      vip: '198.51.100.7',
      encapsulation: 'ipip',
      service: 'a/c',
    } as const;
    const resources = [{ kind: 'pod-tunnel', key: 'pod-tunnel', value }] as const;
    const frontends = [{ key: 'TCP 198.51.100.7:80', resources }];
    const rest = { createdAt: 0, scheduler: 'rr', refusals: [], localGaps: [] } as const;
    setContribution(desired, 'a/c', { service: 'a/c', frontends, ...rest });
    pass();
    pass();
    expect(told.slice(1).map((tunnels) => [...tunnels.keys()])).toEqual([['10.1.0.2']]);
  });
});
