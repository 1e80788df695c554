import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFlowCleaner, type FlowCleaner, type FlowCleaning } from '../../src/app/flow-cleaner.ts';
import { applyChanges, emptyFacts } from '../../src/core/facts.ts';
import { type FakeConntrack, fakeConntrack } from '../../src/kernel/fake/conntrack.ts';
import { context } from '../support/context.ts';
import { endpoint, service, servicePort, slice } from '../support/facts.ts';

const ports = [{ name: '', protocol: 'UDP', port: 5353 }] as const;
const dns = service({
  name: 'dns',
  clusterIPs: ['10.96.0.10'],
  ports: [servicePort({ protocol: 'UDP', port: 53, nodePort: 30_053 })],
});
const slice6 = slice([endpoint('fd00:1::1')], { key: 'default/dns-2', service: 'default/dns', family: 'IPv6', ports });
const due: Set<string> = new Set([dns.key]);

let conntrack: FakeConntrack;
let cleaner: FlowCleaner;
let cleanings: FlowCleaning[];
let troubles: string[];
const facts = emptyFacts('node-a');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  conntrack = fakeConntrack();
  cleanings = [];
  troubles = [];
  const key = 'UDP 10.96.0.10:53';
  const claim = { service: dns.key, createdAt: 1, frontend: { key, resources: [] } };
  const desired = { claims: new Map([[key, [claim]]]) };
  list('10.1.0.1');
  cleaner = createFlowCleaner({
    conntrack,
    view: { facts, desired, context: context() },
    observer: {
      cleaned: (cleaning) => cleanings.push(cleaning),
      troubled: (what, error, retryInMs) => troubles.push(`${what}: ${String(error)}, ${retryInMs}`),
    },
    now: () => 0,
  });
});

afterEach(() => {
  cleaner.stop();
  vi.useRealTimers();
});

describe('the flow cleaner', () => {
  it('does nothing while nothing is due', async () => {
    cleaner.due(new Set());
    await pass();
    expect(conntrack.lists).toBe(0);
  });

  it('lists no family in which the Service has no endpoints', async () => {
    cleaner.due(due);
    await pass();
    expect(cleanings).toEqual([{ family: 'IPv4', listed: 0, deleted: 0, durationMs: 0 }]);
    expect(conntrack.lists).toBe(1);
  });

  it('deletes what is stale and nothing else, after the events behind the first one had their turn', async () => {
    const kept = track(1, '10.1.0.1');
    track(2, '10.1.0.9');
    cleaner.due(due);
    vi.advanceTimersByTime(99);
    await settle();
    expect(conntrack.lists).toBe(0);
    await pass();
    expect([...conntrack.flows('IPv4')].flat()).toEqual([kept]);
    expect(cleanings).toEqual([{ family: 'IPv4', listed: 2, deleted: 1, durationMs: 0 }]);
  });

  it('serves changes that come during a pass and its pause with one more pass', async () => {
    for (let port = 1; port <= 250; port += 1) track(port, '10.1.0.9');
    cleaner.due(due);
    beginPass();
    cleaner.due(due);
    await settle();
    cleaner.due(due);
    await settle();
    expect(conntrack.lists).toBe(1);
    vi.advanceTimersByTime(500);
    await settle();
    expect(conntrack.lists).toBe(2);
    vi.advanceTimersByTime(5_000);
    await settle();
    expect(conntrack.lists).toBe(2);
  });

  it('leaves the flows of a Service that changes meanwhile to the next pass', async () => {
    for (let port = 1; port <= 250; port += 1) track(port, '10.1.0.2');
    cleaner.due(due);
    beginPass();
    while (conntrack.lists === 0) await Promise.resolve();
    list('10.1.0.2');
    cleaner.due(due);
    await settle();
    expect(cleanings.map(({ deleted }) => deleted)).toEqual([100]);
    vi.advanceTimersByTime(500);
    await settle();
    expect(cleanings.map(({ deleted }) => deleted)).toEqual([100, 0]);
  });

  it('does not count flows that went by themselves', async () => {
    track(1, '10.1.0.9');
    conntrack.failNext(() => true, 'ENOENT');
    cleaner.due(due);
    await pass();
    expect(cleanings[0]?.deleted).toBe(0);
    expect(troubles).toEqual([]);
  });

  it('tells of a refusal and tries again later, ever more seldom', async () => {
    track(1, '10.1.0.9');
    conntrack.failNext(() => true, 'EPERM');
    conntrack.failNext(() => true, 'EPERM');
    cleaner.due(due);
    await pass();
    vi.advanceTimersByTime(1_000);
    await settle();
    expect(troubles).toEqual([
      'delete stale UDP flows: KernelError: delete flow: EPERM, 1000',
      'delete stale UDP flows: KernelError: delete flow: EPERM, 2000',
    ]);
    vi.advanceTimersByTime(2_000);
    await settle();
    expect(cleanings.at(-1)?.deleted).toBe(1);
  });

  it('stops between two pieces', async () => {
    applyChanges(facts, [{ change: 'set', kind: 'EndpointSlice', fact: slice6 }]);
    for (let port = 1; port <= 250; port += 1) track(port, '10.1.0.9');
    cleaner.due(due);
    beginPass();
    cleaner.stop();
    await settle();
    expect(conntrack.lists).toBe(1);
    expect([...conntrack.flows('IPv4')].flat()).toHaveLength(150);
    expect(cleanings).toEqual([]);
  });
});

/** A pass begins and looks at the first piece. */
function beginPass(): void {
  vi.advanceTimersByTime(100);
}

async function pass(): Promise<void> {
  beginPass();
  await settle();
}

/** Long enough for a pass over all pieces. */
async function settle(): Promise<void> {
  for (let count = 0; count < 20; count += 1) await turn();
}

/** These addresses serve now. */
function list(...addresses: readonly string[]): void {
  const endpoints = addresses.map((address) => endpoint(address));
  const fact = slice(endpoints, { key: 'default/dns-1', service: dns.key, ports });
  applyChanges(facts, [
    { change: 'set', kind: 'Service', fact: dns },
    { change: 'set', kind: 'EndpointSlice', fact },
    { change: 'delete', kind: 'EndpointSlice', key: slice6.key },
  ]);
}

function track(port: number, answeredBy: string): unknown {
  return conntrack.track({
    source: { address: '10.9.0.2', port },
    destination: { address: '10.96.0.10', port: 53 },
    replySource: { address: answeredBy, port: 5353 },
  });
}
