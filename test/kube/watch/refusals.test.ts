import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, expect, test } from 'vitest';
import { objectKinds } from '../../../src/core/model/facts.ts';
import { at, rawService } from '../objects.ts';
import { until } from '../recording-sink.ts';
import { type Answer, added, bookmark, ended, line, page, status, stream, streamedList } from './scripted-server.ts';
import { passTime, settle, startWorld, type World, type WorldOptions } from './world.ts';

let world: World;
let directory: string | undefined;

async function start(answers: readonly Answer[], options?: WorldOptions): Promise<World> {
  world = await startWorld(answers, options);
  return world;
}

afterEach(async () => {
  await world.end();
  if (directory !== undefined) {
    rmSync(directory, { recursive: true });
    directory = undefined;
  }
});

test('401 reads the token again at once', async () => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-kube-'));
  const tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, 'old\n');
  const config = join(directory, 'kubeconfig');
  const answer: Answer = (response, request) => {
    if (request.authorization === 'Bearer new') {
      streamedList(['a'], 5)(response, request);
    } else {
      writeFileSync(tokenFile, 'new\n');
      status(401)(response, request);
    }
  };
  const { told, server } = await start([answer], { random: () => 1, kubeConfig: (url) => kubeConfigAt(config, url) });
  await told('complete default/a');
  expect(server.requests.map(({ authorization }) => authorization)).toStrictEqual(['Bearer old', 'Bearer new']);
});

test('a rotated token is used for the next request without dropping the watch', async () => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-kube-'));
  const tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, 'first');
  const config = join(directory, 'kubeconfig');
  const { told, asked, clock, server } = await start([streamedList(['a'], 5), stream()], {
    kubeConfig: (url) => kubeConfigAt(config, url),
  });
  await told('complete default/a');
  writeFileSync(tokenFile, 'second');
  await settle();
  expect(server.requests).toHaveLength(1);
  clock.advance(181_000);
  await asked(2);
  expect(server.requests[1]?.authorization).toBe('Bearer second');
});

test('401 for good is tried ever more slowly', async () => {
  const { asked, clock, server, state } = await start([status(401)], { random: () => 1 });
  await asked(2);
  await until(() => state().phase === 'backoff');
  expect(state().lastError?.code).toBe('unauthorized');
  await passTime(clock, 60_000, 100);
  expect(server.requests.length).toBeLessThan(14);
});

test('403 is tried again only after a long time', async () => {
  const { asked, clock, server, state, told } = await start([status(403), streamedList(['a'], 5)]);
  await asked(1);
  await until(() => state().phase === 'backoff');
  expect(state()).toMatchObject({ hasSynced: false, lastError: { code: 'forbidden' } });
  clock.advance(20_000);
  await settle();
  expect(server.requests).toHaveLength(1);
  clock.advance(5_000);
  await told('complete default/a');
});

test('429 waits as long as the server says', async () => {
  const { asked, clock, server, state, told } = await start([
    status(429, {}, { 'Retry-After': '17' }),
    streamedList(['a'], 5),
  ]);
  await asked(1);
  await until(() => state().phase === 'backoff');
  expect(state().lastError?.code).toBe('throttled');
  clock.advance(16_900);
  await settle();
  expect(server.requests).toHaveLength(1);
  clock.advance(200);
  await told('complete default/a');
});

test.each([400, 422])('a server that refuses streamed lists with %i is asked for pages, from then on', async (code) => {
  const gone = line('ERROR', { code: 410 });
  const { told, server } = await start([
    status(code),
    page(['a', 'b'], 5, 'token-1'),
    page(['c'], 5),
    stream(gone),
    page(['d'], 30),
    stream(added('e', 31)),
  ]);
  await told('complete default/a default/b default/c', 'replace default/d', 'set default/e');
  const asked = server.requests.map(({ query }) => [
    query.get('limit'),
    query.get('continue'),
    query.get('resourceVersion'),
  ]);
  expect(asked).toStrictEqual([
    [null, null, null],
    ['500', null, null],
    ['500', 'token-1', null],
    [null, null, '5'],
    ['500', null, null],
    [null, null, '30'],
  ]);
});

test('a page token that expires begins the list anew, in one piece', async () => {
  const { told, server, sink } = await start([
    status(400),
    page(['a'], 5, 'token'),
    status(410),
    page(['b', 'c'], 6),
    stream(),
  ]);
  await told('complete default/b default/c');
  expect(sink.story('Service').filter((each) => each.startsWith('complete'))).toHaveLength(1);
  expect(server.requests[3]?.query.has('limit')).toBe(false);
});

test('a malformed object is reported and its last good version stays, through a new list too', async () => {
  const bad = at(6, rawService('a', { ports: 'none' }));
  const { told, sink } = await start([
    ended(streamedList(['a'], 5, line('MODIFIED', bad), added('b', 7))),
    status(410),
    stream(line('ADDED', bad), bookmark(9, true), line('MODIFIED', at(10, rawService('a')))),
  ]);
  await told('complete default/a', 'set default/b', 'replace default/a', 'set default/a');
  expect(sink.problems.map(({ key, refusals }) => [key, refusals[0]?.reason])).toStrictEqual([
    ['default/a', 'object-malformed'],
    ['default/a', 'object-malformed'],
    ['default/a', undefined],
  ]);
});

test('a Service that becomes headless is deleted', async () => {
  const headless = at(6, rawService('a', { clusterIP: 'None' }));
  const { told, sink } = await start([streamedList(['a'], 5, line('MODIFIED', headless))]);
  await told('complete default/a', 'delete default/a');
  expect(sink.problems).toStrictEqual([]);
});

test('requests reuse the connection', async () => {
  const { told, server } = await start([status(400), page(['a'], 5, 't'), page(['b'], 5), stream(added('c', 6))]);
  await told('set default/c');
  // One for each kind.
  expect(server.connections()).toBe(objectKinds.length);
});

test('after stop nothing is delivered and nothing is asked', async () => {
  const { told, source, server, sink } = await start([streamedList(['a'], 5)]);
  await told('complete default/a');
  const batches = sink.batches.length;
  await source.stop();
  await settle();
  expect(server.requests).toHaveLength(1);
  expect(sink.batches).toHaveLength(batches);
});

function kubeConfigAt(path: string, server: string): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    clusters: [{ name: 'here', cluster: { server } }],
    contexts: [{ name: 'here', context: { cluster: 'here', user: 'proxy' } }],
    users: [{ name: 'proxy', user: { tokenFile: 'token' } }],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}
