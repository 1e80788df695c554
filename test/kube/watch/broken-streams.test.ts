import { afterEach, expect, test } from 'vitest';
import { at, rawService } from '../objects.ts';
import { until } from '../recording-sink.ts';
import { type Answer, added, blackHole, bookmark, ended, line, stream, streamedList } from './scripted-server.ts';
import { passTime, settle, startWorld, type World, type WorldOptions } from './world.ts';

let world: World;

async function start(answers: readonly Answer[], options?: WorldOptions): Promise<World> {
  world = await startWorld(answers, options);
  return world;
}

afterEach(async () => {
  await world.end();
});

test('an endless row of 410 is not answered with a storm of lists', async () => {
  const { asked, clock, server } = await start([streamedList([], 5, line('ERROR', { code: 410 }))], {
    random: () => 1,
  });
  await asked(2);
  await settle();
  expect(server.requests).toHaveLength(2);
  await passTime(clock, 60_000, 100);
  expect(server.requests.length).toBeGreaterThan(4);
  expect(server.requests.length).toBeLessThan(10);
});

test('a server that closes every watch at once sees ever fewer requests', async () => {
  const { asked, clock, server, state } = await start([ended(streamedList(['a'], 5)), ended(stream())], {
    random: () => 1,
  });
  await asked(2);
  await until(() => state().phase === 'backoff');
  expect(state().lastError?.code).toBe('ended-early');
  await passTime(clock, 120_000, 100);
  expect(server.requests.length).toBeGreaterThan(6);
  expect(server.requests.length).toBeLessThan(14);
});

test('a half-open connection is given up after three silent minutes and resumed', async () => {
  const { told, clock, asked, server, state } = await start([streamedList(['a'], 5), stream(added('b', 6))]);
  await told('complete default/a');
  clock.advance(179_000);
  await settle();
  expect(server.requests).toHaveLength(1);
  clock.advance(2_000);
  await asked(2);
  expect(server.requests[1]?.query.get('resourceVersion')).toBe('5');
  await told('set default/b');
  expect(state().phase).toBe('synced');
});

test('a server that takes requests and never answers is reported as silent', async () => {
  const { asked, clock, state } = await start([blackHole], { random: () => 1 });
  await asked(1);
  expect(state()).toMatchObject({ phase: 'initial', hasSynced: false });
  clock.advance(31_000);
  await until(() => state().lastError?.code === 'silent');
  expect(state()).toMatchObject({ phase: 'backoff', hasSynced: false });
});

test('an hour of bookmarks keeps one quiet watch alive, up to its own deadline', async () => {
  let write = (_text: string): void => {};
  const { told, clock, server, state } = await start([
    (response, request) => {
      write = (text) => void response.write(text);
      if (request.query.has('sendInitialEvents')) {
        streamedList(['a'], 5)(response, request);
      } else {
        response.flushHeaders();
      }
    },
  ]);
  await told('complete default/a');
  for (let minute = 1; minute <= 60; minute += 1) {
    await until(() => state().phase === 'synced');
    const heardBefore = state().lastEventAgeMs ?? 0;
    clock.advance(60_000);
    await settle(3);
    await until(() => state().phase === 'synced');
    write(bookmark(100 + minute));
    await until(
      () => state().lastEventAgeMs === 0,
      () => ({ minute, heardBefore, state: state() }),
    );
  }
  // The deadline of a watch is 330 s here: about eleven in the hour, and each one goes on where the last one was.
  expect(server.requests.length).toBeGreaterThan(8);
  expect(server.requests.length).toBeLessThan(14);
  expect(server.requests.filter(({ query }) => query.has('sendInitialEvents'))).toHaveLength(1);
  expect(Number(server.requests.at(-1)?.query.get('resourceVersion'))).toBeGreaterThan(150);
});

test('bytes that come one at a time are put together, also within a UTF-8 character', async () => {
  const { told, sink } = await start([
    (response, request) => {
      streamedList(['a'], 5)(response, request);
      const annotations = { 'sluice.dev/note': 'Grüße, 世界 🌍' };
      const bytes = Buffer.from(line('MODIFIED', at(6, rawService('a', {}, { annotations }))));
      let index = 0;
      const next = (): void => {
        if (index < bytes.length) {
          response.write(bytes.subarray(index, index + 1));
          index += 1;
          setImmediate(next);
        }
      };
      response.socket?.setNoDelay(true);
      next();
    },
  ]);
  await told('complete default/a', 'set default/a');
  const last = sink.batches.flat().at(-1);
  expect(last).toMatchObject({ fact: { annotations: { 'sluice.dev/note': 'Grüße, 世界 🌍' } } });
});

test('a line that never ends breaks the stream instead of filling the memory', async () => {
  const { told, server, state } = await start([
    (response, request) => {
      streamedList(['a'], 5)(response, request);
      const block = Buffer.alloc(1024 * 1024, 'x');
      for (let count = 0; count < 18; count += 1) {
        response.write(block);
      }
    },
    stream(added('b', 6)),
  ]);
  await told('complete default/a', 'set default/b');
  expect(server.requests[1]?.query.get('resourceVersion')).toBe('5');
  expect(state().lastError).toBeUndefined();
});

test('a malformed line breaks the stream; what comes behind it is read again', async () => {
  const { told, sink } = await start([
    streamedList(['a'], 5, 'not json\n', added('c', 7)),
    stream(added('b', 6), added('c', 7)),
  ]);
  await told('set default/a', 'complete default/a', 'set default/b', 'set default/c');
  expect(sink.story('Service')).toHaveLength(4);
});

test('a watch that meets the same malformed line again and again is given up for a new list', async () => {
  const { told, server } = await start([
    streamedList(['a'], 5, 'not json\n'),
    stream('{"type":"NEWS"}\n'),
    stream('[]\n'),
    streamedList(['b'], 9),
  ]);
  await told('complete default/a', 'replace default/b');
  expect(server.requests).toHaveLength(4);
});
