import { afterEach, expect, test } from 'vitest';
import type { SourceState } from '../../../src/kube/source.ts';
import { rawServiceCIDR } from '../objects.ts';
import { until } from '../recording-sink.ts';
import { type Answer, bookmark, line, status, streamedList } from './scripted-server.ts';
import { passTime, startWorld, type World } from './world.ts';

let world: World;

afterEach(() => world.end());

async function start(...serviceCIDRs: readonly Answer[]): Promise<void> {
  let asked = 0;
  const answer: Answer = (response, request) => {
    asked += 1;
    serviceCIDRs[Math.min(asked, serviceCIDRs.length) - 1]?.(response, request);
  };
  const others = new Map([['/apis/networking.k8s.io/v1/servicecidrs', answer]]);
  world = await startWorld([streamedList(['a'], 5)], { others });
}

function state(): SourceState | undefined {
  return world.source.states().find(({ kind }) => kind === 'ServiceCIDR');
}

function listing(...cidrs: readonly string[]): Answer {
  return (response) => {
    response.write(line('ADDED', rawServiceCIDR('kubernetes', ...cidrs)) + bookmark(3, true));
  };
}

test.each([
  [404, 'missing'],
  [403, 'forbidden'],
] as const)('an API server that answers %s has no ServiceCIDRs, until it has', async (code, failure) => {
  await start(status(code), listing('10.96.0.0/12'));
  await until(() => world.sink.story('ServiceCIDR').length === 1);
  expect(world.sink.story('ServiceCIDR')).toStrictEqual(['complete']);
  await until(() => state()?.phase === 'unavailable');
  expect(state()).toMatchObject({ hasSynced: false, lastError: { code: failure } });
  await passTime(world.clock, 60_000, 20);
  await until(() => world.sink.story('ServiceCIDR').length === 2);
  expect(world.sink.story('ServiceCIDR')).toStrictEqual(['complete', 'replace kubernetes']);
  expect(state()).toMatchObject({ phase: 'synced', hasSynced: true });
});

test('a server that cannot answer does not say that there are none', async () => {
  await start(status(500), status(503), listing('10.96.0.0/12'));
  await passTime(world.clock, 60_000, 20);
  await until(() => world.sink.story('ServiceCIDR').length === 2);
  expect(world.sink.story('ServiceCIDR')).toStrictEqual(['set kubernetes', 'complete kubernetes']);
});

test('what was listed stays when the server takes the permission away', async () => {
  const ended: Answer = (response, request) => {
    listing('10.96.0.0/12')(response, request);
    setTimeout(() => response.end(), 20);
  };
  await start(ended, status(403));
  await until(() => state()?.lastError?.code === 'forbidden');
  await until(() => state()?.phase === 'backoff');
  expect(world.sink.story('ServiceCIDR')).toStrictEqual(['set kubernetes', 'complete kubernetes']);
});
