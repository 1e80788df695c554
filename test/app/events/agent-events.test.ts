import { afterEach, expect, it, vi } from 'vitest';
import { reportServerFailure, reportStarting } from '../../../src/app/events/agent-events.ts';
import type { EventPort, EventReport } from '../../../src/kube/events/event-port.ts';
import { noEvents } from '../../../src/kube/events/event-port.ts';
import { node, service } from '../../support/facts.ts';
import { fakePorts, sets } from '../../support/node-ports.ts';
import { deliverLists, type ObservedLoop, observedLoop } from '../../support/observed-loop.ts';

let observed: ObservedLoop | undefined;
afterEach(() => observed?.stop());

function recording(): EventPort & { readonly reports: EventReport[] } {
  const reports: EventReport[] = [];
  return { ...noEvents, reports, report: (event) => void reports.push(event) };
}

it('the start is told of on the Node, as kube-proxy tells it', () => {
  const events = recording();
  reportStarting(events, 'node-a');
  expect(events.reports).toEqual([
    {
      type: 'Normal',
      reason: 'Starting',
      action: 'StartKubeProxy',
      note: '',
      regarding: { kind: 'Node', name: 'node-a' },
      scope: 'node',
    },
  ]);
});

it.each([
  ['health', 'FailedToStartProxierHealthcheck'],
  ['metrics', 'FailedToStartMetricServer'],
] as const)('a %s server that cannot listen is told of on the Node', (server, reason) => {
  const events = recording();
  reportServerFailure(events, 'node-a', { server, message: 'why' });
  expect(events.reports).toMatchObject([{ type: 'Warning', reason, note: 'why', regarding: { kind: 'Node' } }]);
});

it('a Service is told what is refused of it: once for each reason, and not again as long as it lasts', async () => {
  observed = observedLoop(await fakePorts());
  const ports = [80, 81, 82].map((port) => ({ name: `${port}`, protocol: 'TCP', port, nodePort: 0 }) as const);
  const claims = (name: string, createdAt: number, annotations = {}) =>
    ({ kind: 'Service', fact: service({ name, createdAt, ports, annotations }) }) as const;
  const younger = claims('younger', 2, { 'sluice.dev/scheduler': 'best' });
  deliverLists(observed.loop, claims('older', 1), younger, { kind: 'Node', fact: node() });
  await vi.waitFor(() => expect(observed?.posted).toHaveLength(2));
  observed.loop.changes(sets(younger));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(observed.posted.map(({ body }) => body)).toMatchObject([
    {
      type: 'Warning',
      reason: 'SchedulerUnknown',
      action: 'Program',
      regarding: { kind: 'Service', namespace: 'default', name: 'younger', uid: 'some-uid' },
    },
    {
      reason: 'FrontendClaimedByOlderService',
      note: expect.stringMatching(
        /^TCP 10\.96\.0\.1:80: expected .*, found default\/older\. .* \(and 2 more of this kind\)$/,
      ),
    },
  ]);
});

it('a health check that cannot listen is told of in the words of kube-proxy', async () => {
  observed = observedLoop(await fakePorts());
  observed.refusals.unserved('prod/web', [
    {
      reason: 'health-check-port-unavailable',
      subject: 'healthCheckNodePort 30100 at 0.0.0.0',
      found: 'listen EADDRINUSE: address already in use 0.0.0.0:30100',
      expected: 'a port that is free on this node; it is tried again',
    },
  ]);
  await vi.waitFor(() => expect(observed?.posted).toHaveLength(1));
  expect(observed.posted[0]?.body).toMatchObject({
    type: 'Warning',
    reason: 'FailedToStartServiceHealthcheck',
    action: 'Listen',
    regarding: { kind: 'Service', namespace: 'prod', name: 'web' },
    note: 'node node-a failed to start healthcheck "prod/web" on port 30100: listen EADDRINUSE: address already in use 0.0.0.0:30100',
  });
});

it('other objects are told of in the log alone', async () => {
  observed = observedLoop(await fakePorts());
  const refusals = [{ reason: 'weight-invalid', subject: 'a', found: 'b', expected: 'c' }] as const;
  observed.refusals.problem({ kind: 'EndpointSlice', key: 'default/web-1', source: 'api', refusals });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(observed.posted).toEqual([]);
});
