/**
 * What the agent says to a real kube-apiserver and of it: Events, eligibility, latency. With the rights of the manifest,
 * which are those of kube-proxy.
 */

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventBody, eventName, eventsPath, seriesPatch } from '../../src/kube/events/event-object.ts';
import type { EventReport } from '../../src/kube/events/event-port.ts';
import type { EventTransport } from '../../src/kube/events/event-recorder.ts';
import { httpEvents } from '../../src/kube/events/http-events.ts';
import { openConfigReader } from '../../src/kube/watch/credentials.ts';
import { type Kubernetes, startKubernetes } from '../lab/kubernetes.ts';
import { rootAddresses } from '../lab/world/places.ts';
import { createWorld, type World } from '../lab/world.ts';
import { bundle } from '../scenarios/agent.ts';
import { endpointSlice, node1, service } from './cluster-objects.ts';

const manifest = fileURLToPath(new URL('../../daemonset/sluice.yaml', import.meta.url));
const healthCheckNodePort = 30_500;

let world: World;
let kubernetes: Kubernetes;
let kubeconfig: string;
let transport: EventTransport;

beforeAll(async () => {
  world = await createWorld({ nodes: [{ name: 'node1', pods: [] }], clients: [] });
  kubernetes = await startKubernetes({ address: rootAddresses.IPv4 });
  await kubernetes.kubectl(['apply', '--server-side', '-f', manifest]);
  await kubernetes.apply(node1);
  kubeconfig = await kubernetes.serviceAccountKubeconfig('kube-system', 'sluice');
  transport = httpEvents(openConfigReader({ kubeConfig: kubeconfig, master: undefined }));
});

afterAll(async () => {
  transport.close();
  await kubernetes.remove();
  await world.remove();
});

const report: EventReport = {
  type: 'Warning',
  reason: 'PortInvalid',
  action: 'Program',
  note: 'n'.repeat(2_000),
  regarding: { kind: 'Service', namespace: 'default', name: 'kubernetes' },
  scope: 'cluster',
};

test('an Event is created, is there already for the next node, goes on as a series, and may have expired', async () => {
  const writing = { report, uid: 'some-uid', nodeName: `node-${'a'.repeat(200)}`, at: Date.now() };
  const create = { method: 'POST', path: eventsPath(report), body: eventBody(writing) } as const;
  expect([await transport.send(create), await transport.send(create)]).toEqual([201, 409]);
  const path = `${create.path}/${eventName(writing)}`;
  const series = { method: 'PATCH', body: seriesPatch(7, Date.now()) } as const;
  expect(await transport.send({ ...series, path })).toBe(200);
  expect(await event('PortInvalid')).toMatchObject({ series: { count: 7 }, reportingController: 'sluice' });
  expect(await transport.send({ ...series, path: `${create.path}/gone` })).toBe(404);
});

test('an Event about a Node is taken without a note', async () => {
  const starting: EventReport = { ...report, note: '', regarding: { kind: 'Node', name: 'node1' }, scope: 'node' };
  const writing = { report: starting, uid: 'node1', nodeName: 'node1', at: Date.now() };
  const status = await transport.send({ method: 'POST', path: eventsPath(starting), body: eventBody(writing) });
  expect(status).toBe(201);
});

test('the agent tells of its start and of what it refuses, where kubectl describe shows it', async () => {
  await kubernetes.apply(
    service({ name: 'odd', clusterIP: '10.96.2.1', annotations: { 'sluice.dev/scheduler': 'best' } }),
    service({ name: 'probed', clusterIP: '10.96.2.2', spec: { ...probed, healthCheckNodePort } }),
  );
  const listen = `require('node:net').createServer().listen(${healthCheckNodePort}, '0.0.0.0')`;
  world.start(world.node('node1'), [process.execPath, '-e', listen]);
  const flags = [`--kubeconfig=${kubeconfig}`, '--hostname-override=node1'];
  const agent = world.start(world.node('node1'), [process.execPath, bundle, 'run', ...flags]);
  // What every node would say is said within ten seconds.
  await vi.waitFor(async () => expect(await described('service/odd')).toContain('SchedulerUnknown'), waiting);
  expect(await described('service/odd')).toMatch(/expected .*, found best\. Choose a scheduler of IPVS/);
  await vi.waitFor(async () => expect(await described('service/probed')).toContain('FailedToStartService'), waiting);
  expect(await event('FailedToStartServiceHealthcheck')).toMatchObject({
    type: 'Warning',
    action: 'Listen',
    reportingInstance: 'sluice-node1',
    note: expect.stringContaining(
      `node node1 failed to start healthcheck "default/probed" on port ${healthCheckNodePort}: listen EADDRINUSE`,
    ),
  });
  await vi.waitFor(async () => expect(await described('node/node1')).toMatch(/Normal +Starting/), waiting);
  expect(agent.output()).not.toContain('an Event was not posted');
});

test('the node gets no traffic from the moment the autoscaler marks it', async () => {
  const taint = 'ToBeDeletedByClusterAutoscaler';
  await vi.waitFor(async () => expect(await ask(10_256, '/healthz')).toMatch(/^200 .*"nodeEligible":true/), waiting);
  await kubernetes.kubectl(['taint', 'node', 'node1', `${taint}=1:NoSchedule`]);
  await vi.waitFor(async () => expect(await ask(10_256, '/healthz')).toMatch(/^503 .*"nodeEligible":false/), waiting);
  expect(await ask(10_256, '/livez')).toMatch(/^200 /);
  await kubernetes.kubectl(['taint', 'node', 'node1', `${taint}-`]);
  await vi.waitFor(async () => expect(await ask(10_256, '/healthz')).toMatch(/^200 /), waiting);
});

test('the time from a change in the cluster until it is in force is taken from the slice', async () => {
  const counted = /_programming_duration_seconds_count\{ip_family="IPv4"\} 1\n/;
  expect(await ask(10_249, '/metrics')).not.toMatch(counted);
  const slice = endpointSlice('odd', ['10.1.0.2']);
  const annotations = { 'endpoints.kubernetes.io/last-change-trigger-time': new Date().toISOString() };
  const metadata = {
    ...('metadata' in slice && typeof slice.metadata === 'object' ? slice.metadata : {}),
    annotations,
  };
  await kubernetes.apply({ ...slice, metadata });
  await vi.waitFor(async () => expect(await ask(10_249, '/metrics')).toMatch(counted), waiting);
});

const waiting = { timeout: 60_000, interval: 1_000 } as const;

const probed = { type: 'LoadBalancer', externalTrafficPolicy: 'Local' } as const;

function described(object: string): Promise<string> {
  return kubernetes.kubectl(['describe', object]);
}

/** Status and body of a page of the agent. */
async function ask(at: number, path: string): Promise<string> {
  const command = ['curl', '--silent', '--write-out', '\n%{http_code}', `http://127.0.0.1:${at}${path}`];
  const said = (await world.run(world.node('node1'), command)).trimEnd();
  const end = said.lastIndexOf('\n');
  return `${said.slice(end + 1)} ${said.slice(0, end)}`;
}

/** The only Event with this reason. */
async function event(reason: string): Promise<unknown> {
  const selection = [`--field-selector=reason=${reason}`, '--all-namespaces', '--output=jsonpath={.items[*]}'];
  return JSON.parse(await kubernetes.kubectl(['get', 'events.v1.events.k8s.io', ...selection]));
}
