import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import type { ServiceFact } from '../../../src/core/model/facts.ts';
import { manifestSource } from '../../../src/kube/manifests/manifest-source.ts';
import type { FactSource } from '../../../src/kube/source.ts';
import { rawNode, rawService, rawServiceCIDR, rawSlice } from '../objects.ts';
import { type RecordingSink, recordingSink, until } from '../recording-sink.ts';

let directory: string;
let source: FactSource;
let sink: RecordingSink;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-manifests-'));
  source = manifestSource({ directory });
  sink = recordingSink();
});

afterEach(async () => {
  await source.stop();
  rmSync(directory, { recursive: true, force: true });
});

function write(name: string, ...documents: readonly (object | string)[]): void {
  mkdirSync(dirname(join(directory, name)), { recursive: true });
  const texts = documents.map((each) => (typeof each === 'string' ? each : JSON.stringify(each, undefined, 2)));
  writeFileSync(join(directory, name), texts.join('\n---\n'));
}

async function begin(): Promise<void> {
  source.start(sink);
  await until(
    () => sink.batches.length > 0,
    () => source.states(),
  );
}

async function told(...story: readonly string[]): Promise<void> {
  const seen = (): readonly string[] => sink.story('Service').slice(-story.length);
  await until(
    () => seen().join() === story.join(),
    () => ({ seen: sink.story('Service'), problems: sink.problems }),
  );
}

const yamlService = `
apiVersion: v1
kind: Service
metadata:
  name: plain
spec:
  clusterIP: 10.96.0.9
  clusterIPs: [10.96.0.9, "fd00::9"]
  sessionAffinity: ClientIP
  ports:
    - port: 53
      protocol: UDP
`;

test('the first delivery is the complete list of each kind, in one batch', async () => {
  write('a.yaml', rawService('web'), rawSlice('web-1'));
  write('deeper/b.json', {
    apiVersion: 'v1',
    kind: 'List',
    items: [rawService('api'), rawNode('node-1'), rawNode('other'), rawServiceCIDR('kubernetes', '10.96.0.0/12')],
  });
  write('notes.txt', 'no manifest');
  write('.hidden.yaml', rawService('hidden'));
  write('c.yaml', { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x' } });
  await begin();
  expect(sink.batches).toHaveLength(1);
  expect(sink.story('Service')).toStrictEqual(['replace default/web default/api']);
  expect(sink.story('EndpointSlice')).toStrictEqual(['replace default/web-1']);
  expect(sink.story('Node')).toStrictEqual(['replace node-1 other']);
  expect(sink.problems).toStrictEqual([]);
  expect(sink.story('ServiceCIDR')).toStrictEqual(['replace kubernetes']);
  expect(source.states().map(({ kind, phase, hasSynced }) => `${kind} ${phase} ${hasSynced}`)).toStrictEqual(
    ['Node', 'ServiceCIDR', 'Service', 'EndpointSlice'].map((kind) => `${kind} synced true`),
  );
});

test('an empty folder is a complete list of nothing', async () => {
  await begin();
  expect(sink.story('Service')).toStrictEqual(['replace']);
});

test('what an API server fills in is filled in', async () => {
  write('a.yaml', yamlService);
  await begin();
  expect(sink.batches[0]?.find(({ kind }) => kind === 'Service')).toMatchObject({
    facts: [
      {
        fact: {
          key: 'default/plain',
          type: 'ClusterIP',
          clusterIPs: ['10.96.0.9', 'fd00::9'],
          affinityTimeoutSeconds: 10_800,
          internalTrafficPolicy: 'Cluster',
          externalTrafficPolicy: 'Cluster',
          ports: [{ name: '', protocol: 'UDP', port: 53, nodePort: 0 }],
        },
      },
    ],
  });
});

test('a changed, a new and a deleted file are picked up at once', async () => {
  write('a.yaml', rawService('a'));
  await begin();
  const start = performance.now();
  write('a.yaml', rawService('a', { clusterIP: '10.96.0.2', clusterIPs: ['10.96.0.2'] }));
  await told('replace default/a', 'set default/a');
  expect(performance.now() - start).toBeLessThan(1_000);
  write('b.yaml', rawService('b'));
  await told('set default/b');
  unlinkSync(join(directory, 'a.yaml'));
  await told('delete default/a');
  expect(sink.problems).toStrictEqual([]);
});

test('a file that is replaced by rename is picked up, and an unchanged one says nothing', async () => {
  write('a.yaml', rawService('a'));
  write('b.yaml', rawService('b'));
  await begin();
  writeFileSync(join(directory, 'a.tmp'), JSON.stringify(rawService('a', { clusterIP: '10.96.0.3', ipFamilies: [] })));
  renameSync(join(directory, 'a.tmp'), join(directory, 'a.yaml'));
  await told('set default/a');
  write('b.yaml', rawService('b'));
  write('c.yaml', rawService('c'));
  await told('set default/a', 'set default/c');
  expect(sink.story('Service')).toStrictEqual(['replace default/a default/b', 'set default/a', 'set default/c']);
});

test('a file in a new sub-folder is picked up', async () => {
  await begin();
  write('later/a.yaml', rawService('a'));
  await told('replace', 'set default/a');
  write('later/a.yaml', rawService('a2'));
  await told('delete default/a', 'set default/a2');
  expect(sink.problems).toStrictEqual([]);
});

test('a malformed document is reported with file and line; everything stays, the other documents count', async () => {
  write('a.yaml', rawService('a'), rawService('b'));
  await begin();
  write('a.yaml', rawService('c'), 'kind: Service\nspec: [1, 2\n');
  await told('set default/c');
  expect(sink.story('Service')).toStrictEqual(['replace default/a default/b', 'set default/c']);
  const [problem] = sink.problems;
  expect(problem).toMatchObject({ kind: 'Manifest', key: 'a.yaml', refusals: [{ reason: 'object-malformed' }] });
  expect(problem?.source).toMatch(/^a\.yaml:\d+$/);
  write('a.yaml', rawService('c'));
  await told('delete default/a', 'delete default/b');
  expect(sink.problems.at(-1)).toMatchObject({ kind: 'Manifest', key: 'a.yaml', refusals: [] });
});

test('a malformed object is reported with its line and its last good version stays', async () => {
  write('a.yaml', rawService('a'), yamlService);
  await begin();
  write('a.yaml', rawService('a'), yamlService.replace('ports:', 'ports: none\n  other:'));
  await until(() => sink.problems.length > 0);
  expect(sink.problems).toMatchObject([
    { kind: 'Service', key: 'default/plain', refusals: [{ reason: 'object-malformed', subject: 'spec.ports' }] },
  ]);
  const line = 2 + JSON.stringify(rawService('a'), undefined, 2).split('\n').length;
  expect(sink.problems[0]?.source).toBe(`a.yaml:${line + 1}`);
  expect(sink.story('Service')).toStrictEqual(['replace default/a default/plain']);
});

test('in a JSON list too the line of a refused object is found', async () => {
  write('a.json', { apiVersion: 'v1', kind: 'List', items: [rawService('a'), rawService('b', { ports: 7 })] });
  await begin();
  expect(sink.problems).toHaveLength(1);
  const before = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [rawService('a')] }, undefined, 2).split('\n');
  expect(sink.problems[0]?.source).toBe(`a.json:${before.length - 1}`);
});

test('of an object in two files the first by file name counts, and it is said', async () => {
  write('b.yaml', rawService('web', { clusterIP: '10.96.0.2', clusterIPs: ['10.96.0.2'] }));
  write('a.yaml', rawService('web'));
  await begin();
  expect(sink.batches[0]?.find(({ kind }) => kind === 'Service')).toMatchObject({
    facts: [{ fact: { clusterIPs: ['10.96.0.1'] } }],
  });
  expect(sink.problems).toMatchObject([{ key: 'default/web', refusals: [{ found: 'another in b.yaml' }] }]);
  unlinkSync(join(directory, 'a.yaml'));
  await told('set default/web');
  expect(sink.problems.at(-1)).toMatchObject({ key: 'default/web', refusals: [] });
});

test('without a creation timestamp the order of the files decides who is older', async () => {
  write('b.yaml', rawService('first-by-name'));
  write('a.yaml', rawService('second'), rawService('third', {}, { creationTimestamp: '2026-01-01T00:00:00Z' }));
  await begin();
  const [second, third, firstByName] = listed().map(({ createdAt }) => createdAt);
  expect(third).toBe(Date.UTC(2026, 0, 1));
  expect(second).toBeLessThan(firstByName ?? 0);
  write('aa.yaml', rawService('between'));
  await told('replace default/second default/third default/first-by-name', 'set default/between');
  const [between] = sink.batches.at(-1) ?? [];
  expect(between).toMatchObject({ change: 'set', kind: 'Service' });
  const age = between?.change === 'set' && between.kind === 'Service' ? between.fact.createdAt : 0;
  expect(age).toBeGreaterThan(second ?? 0);
  expect(age).toBeLessThan(firstByName ?? 0);
});

test('a Service without an address is refused with the reason', async () => {
  write('a.yaml', rawService('a', { clusterIP: undefined, clusterIPs: undefined, ipFamilies: undefined }));
  await begin();
  expect(sink.story('Service')).toStrictEqual(['replace']);
  expect(sink.problems).toMatchObject([{ refusals: [{ reason: 'address-invalid', subject: 'spec.clusterIP' }] }]);
});

test('a file cut short while it is written deletes nothing; one that stays empty does', async () => {
  write('a.yaml', rawService('a'));
  await begin();
  writeFileSync(join(directory, 'a.yaml'), '');
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(sink.story('Service')).toStrictEqual(['replace default/a']);
  await told('replace default/a', 'delete default/a');
});

test('a folder that is not there yet is reported, and read when it comes', async () => {
  rmSync(directory, { recursive: true });
  const clockless = manifestSource({ directory });
  clockless.start(sink);
  await until(() => clockless.states()[0]?.lastError !== undefined);
  expect(clockless.states()[0]).toMatchObject({ phase: 'backoff', hasSynced: false });
  expect(sink.batches).toStrictEqual([]);
  write('a.yaml', rawService('a'));
  await told('replace default/a');
  await clockless.stop();
});

test('an unreadable file changes nothing', async () => {
  write('a.yaml', rawService('a'));
  await begin();
  unlinkSync(join(directory, 'a.yaml'));
  mkdirSync(join(directory, 'b.yaml'));
  chmodSync(join(directory, 'b.yaml'), 0o000);
  await told('delete default/a');
  expect(sink.problems).toStrictEqual([]);
});

function listed(): readonly ServiceFact[] {
  return (sink.batches[0] ?? []).flatMap((change) =>
    change.change === 'replace' ? change.facts.flatMap(({ kind, fact }) => (kind === 'Service' ? [fact] : [])) : [],
  );
}
