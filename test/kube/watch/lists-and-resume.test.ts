import { afterEach, expect, test } from 'vitest';

import { at, rawService } from '../objects.ts';
import { type Answer, added, bookmark, ended, line, reset, status, stream, streamedList } from './scripted-server.ts';
import { startWorld, type World, type WorldOptions } from './world.ts';

let world: World;

async function start(answers: readonly Answer[], options?: WorldOptions): Promise<World> {
  world = await startWorld(answers, options);
  return world;
}

afterEach(async () => {
  await world.end();
});

function deleted(name: string, resourceVersion: number): string {
  return line('DELETED', at(resourceVersion, rawService(name)));
}

test('the first list is streamed and delivered as it comes, and then complete', async () => {
  const { told, server, sink, state } = await start([streamedList(['a', 'b'], 7, added('c', 8))]);
  await told('complete default/a default/b', 'set default/c');
  const [request] = server.requests;
  expect(Object.fromEntries(request?.query ?? [])).toStrictEqual({
    labelSelector: '!service.kubernetes.io/service-proxy-name,!service.kubernetes.io/headless',
    watch: 'true',
    allowWatchBookmarks: 'true',
    timeoutSeconds: '300',
    sendInitialEvents: 'true',
    resourceVersionMatch: 'NotOlderThan',
  });
  const batches = sink.batches.filter((batch) => batch.some(({ kind }) => kind === 'Service'));
  expect(batches.map((batch) => batch.length)).toEqual([3, 1]);
  expect(state()).toStrictEqual({
    kind: 'Service',
    phase: 'synced',
    hasSynced: true,
    lastEventAgeMs: 0,
    lastError: undefined,
  });
});

test('what the first list brings is told of at once, and gives way to the first that comes to its end', async () => {
  const { told, sink } = await start([reset(stream(added('a', 1), added('b', 2))), streamedList(['a'], 9)]);
  await told('complete default/a');
  expect(sink.story('Service')).toStrictEqual([
    'set default/a',
    'set default/b',
    'set default/a',
    'complete default/a',
  ]);
});

test('a watch that ended is resumed from the last version, bookmarks included', async () => {
  const { asked, server, told } = await start([
    ended(streamedList(['a'], 5, added('b', 6), bookmark(11))),
    stream(added('c', 12)),
  ]);
  await asked(2);
  expect(server.requests[1]?.query.get('resourceVersion')).toBe('11');
  expect(server.requests[1]?.query.has('sendInitialEvents')).toBe(false);
  await told('complete default/a', 'set default/b', 'set default/c');
});

test('a connection reset within a line loses nothing', async () => {
  const half = added('c', 7).slice(0, 40);
  const { told, server } = await start([reset(streamedList(['a'], 5, added('b', 6), half)), stream(added('c', 7))]);
  await told('complete default/a', 'set default/b', 'set default/c');
  expect(server.requests[1]?.query.get('resourceVersion')).toBe('6');
});

test('an object deleted while disconnected is deleted after the resume', async () => {
  const { told, server } = await start([reset(streamedList(['a', 'b'], 5)), stream(deleted('b', 9))]);
  await told('complete default/a default/b', 'delete default/b');
  expect(server.requests[1]?.query.get('resourceVersion')).toBe('5');
});

test('status 410 leads to a new list, in which what vanished is missing', async () => {
  const { told, server } = await start([
    ended(streamedList(['a', 'b'], 5)),
    status(410, { reason: 'Expired' }),
    streamedList(['a', 'c'], 20),
  ]);
  await told('complete default/a default/b', 'replace default/a default/c');
  expect(server.requests[2]?.query.get('resourceVersion')).toBe('5');
});

test('an ERROR event with 410 leads to a new list; refused again, the newest is asked for', async () => {
  const gone = line('ERROR', { kind: 'Status', code: 410, reason: 'Expired' });
  const { told, server } = await start([streamedList(['a'], 5, gone), status(410), streamedList(['b'], 20)]);
  await told('complete default/a', 'replace default/b');
  expect(server.requests.map(({ query }) => query.get('resourceVersion'))).toStrictEqual([null, '5', null]);
});
