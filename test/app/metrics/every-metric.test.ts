/** Every metric that is declared moves when the thing happens that it tells of. */

import { createServer } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { healthHandler } from '../../../src/app/health/health-server.ts';
import { makeLog } from '../../../src/app/log.ts';
import { createDetectionWatch } from '../../../src/app/observe/detection-watch.ts';
import { countPodTunnels } from '../../../src/app/observe/pod-tunnel-count.ts';
import { watchSource } from '../../../src/app/observe/source-watch.ts';
import type { ServiceFact } from '../../../src/core/model/facts.ts';
import type { PodTunnelState } from '../../../src/core/model/pod-tunnel.ts';
import type { FactSource, SourceState } from '../../../src/kube/source.ts';
import { context } from '../../support/context.ts';
import { endpoint, localEndpoint, node, service, slice } from '../../support/facts.ts';
import { type MishapPorts, withMishaps } from '../../support/mishaps.ts';
import { type FakePorts, fakePorts, sets } from '../../support/node-ports.ts';
import { deliverLists, type ObservedLoop, observedLoop } from '../../support/observed-loop.ts';
import { virtualServer } from '../../support/servers.ts';

/** What never moves, and why. */
const constant: Readonly<Record<string, string>> = {
  kubeproxy_sync_proxy_rules_iptables_restore_failures_total: 'there is no iptables; dashboards ask for it',
  sluice_build_info: 'its label tells the version',
  process_start_time_seconds: 'a process starts once',
};

let observed: ObservedLoop | undefined;
afterEach(() => observed?.stop());

it('every metric moves', { timeout: 20_000 }, async () => {
  const fakes = await fakePorts();
  const ports = withMishaps(fakes);
  fakes.ipvs.apply([
    { kind: 'add-virtual-server', server: virtualServer('TCP', { identity: { ...foreign, address: '203.0.113.9' } }) },
  ]);
  observed = observedLoop(ports, { auditPeriodMs: 1_500, context: context({ healthCheckAddresses: ['127.0.0.1'] }) });
  const pods = new Map<string, PodTunnelState>();
  countPodTunnels(observed.metrics, () => pods);
  const pages: string[] = [observed.metrics.render()];
  const look = (): void => void pages.push(observed?.metrics.render() ?? '');
  await begin(observed, look);
  await fail(observed, ports, look);
  await drainAndRepair(observed, fakes, look);
  probe(observed);
  pods.set('10.1.0.1', { kind: 'preparing' });
  const watchDetection = createDetectionWatch({ by: 'node' }, { log: silentLog, metrics: observed.metrics });
  watchDetection(context());
  look();
  watchDetection(context({ detectsLocal: { IPv4: false, IPv6: false } }));
  observed.observer.cleaned({ family: 'IPv4', listed: 3, deleted: 1, durationMs: 2 });
  const stopWatching = watchSource(sourceWith('synced'), observed.metrics, silentLog);
  await vi.waitFor(() => expect(observed?.metrics.render()).toContain('sluice_watch_connected{kind="Service"} 1'), {
    timeout: 5_000,
  });
  stopWatching();
  look();
  expect(stillOnes(pages)).toEqual(Object.keys(constant).sort());
});

const foreign = { kind: 'address', protocol: 'TCP', address: '203.0.113.9', port: 80 } as const;
const silentLog = makeLog({ level: 'error', format: 'json', destination: { write: () => true }, colours: false });

function local(port: number): ServiceFact {
  return service({
    type: 'LoadBalancer',
    loadBalancerIPs: ['198.51.100.1'],
    externalTrafficPolicy: 'Local',
    internalTrafficPolicy: 'Local',
    healthCheckNodePort: port,
  });
}

/** Lists, a first pass, and a change in the cluster that comes into force a second after it was made. */
async function begin({ loop, reconciler, clock }: ObservedLoop, look: () => void): Promise<void> {
  const fact = local(await freePort());
  const elsewhere = [endpoint('10.1.0.9')];
  deliverLists(
    loop,
    { kind: 'Service', fact },
    { kind: 'EndpointSlice', fact: slice(elsewhere) },
    { kind: 'Node', fact: node() },
  );
  await vi.waitFor(() => expect(reconciler.view.isStarted).toBe(true));
  look();
  clock.now += 2_000;
  const changed = slice([...elsewhere, localEndpoint('10.1.0.1')], { triggeredAt: clock.now - 1_000 });
  loop.changes(sets({ kind: 'EndpointSlice', fact: changed }));
  look();
}

/** The kernel refuses; so does sluice. */
async function fail({ loop, reconciler }: ObservedLoop, ports: MishapPorts, look: () => void): Promise<void> {
  ports.failNext('add-virtual-server', 'ENOMEM');
  const annotations = { 'sluice.dev/scheduler': 'best' };
  const fact = service({ name: 'other', clusterIPs: ['10.96.0.5'], annotations });
  loop.changes(
    sets(
      { kind: 'Service', fact },
      { kind: 'EndpointSlice', fact: slice([], { key: 'default/other-1', service: 'default/other' }) },
    ),
  );
  look();
  await vi.waitFor(() => expect(reconciler.view.failing.size).toBe(0), { timeout: 5_000 });
  look();
}

/** An endpoint leaves with a connection; another hand removes a virtual server. */
async function drainAndRepair(
  { loop, reconciler, metrics }: ObservedLoop,
  fakes: FakePorts,
  look: () => void,
): Promise<void> {
  loop.changes(sets({ kind: 'EndpointSlice', fact: slice([endpoint('10.1.0.9')]) }));
  look();
  fakes.ipvs.apply([{ kind: 'remove-virtual-server', identity: { ...foreign, address: '10.96.0.5' } }]);
  expect(reconciler.view.drains.count).toBeGreaterThan(0);
  await vi.waitFor(() => expect(metrics.render()).toMatch(/^sluice_repairs_total\{/m), { timeout: 5_000 });
}

function probe({ health, metrics: { healthzTotal, livezTotal } }: ObservedLoop): void {
  const answer = healthHandler({
    health: () => health.value,
    now: Date.now,
    syncPeriodMs: 30_000,
    healthzTotal,
    livezTotal,
  });
  answer('/healthz');
  answer('/livez');
}

function sourceWith(phase: SourceState['phase']): FactSource {
  const state = { kind: 'Service', phase, hasSynced: true, lastEventAgeMs: 5, lastError: undefined } as const;
  return { start: () => {}, stop: async () => {}, states: () => [state] };
}

/** The declared metrics whose samples are the same on every page. */
function stillOnes(pages: readonly string[]): readonly string[] {
  const names = [...(pages[0] ?? '').matchAll(/^# TYPE (\S+) /gm)].map(([, name = '']) => name);
  const samples = (page: string, name: string): string =>
    page
      .split('\n')
      .filter((line) => new RegExp(`^${name}(_bucket|_sum|_count)?[ {]`).test(line))
      .join('\n');
  return names.filter((name) => new Set(pages.map((page) => samples(page, name))).size === 1).sort();
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
