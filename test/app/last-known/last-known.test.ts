import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepLastKnown, type LastKnownState } from '../../../src/app/last-known/last-known.ts';
import { makeLog } from '../../../src/app/log.ts';
import { applyChanges, emptyFacts, type FactStore, slicesOf } from '../../../src/core/facts.ts';
import type { FactChange } from '../../../src/core/model/facts.ts';
import type { FilterElement } from '../../../src/core/model/filter-element.ts';
import { endpoint, localEndpoint, node, service, slice } from '../../support/facts.ts';

let folder: string;
let path: string;
const states: LastKnownState[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'last-known-'));
  path = join(folder, 'state', 'facts');
});

afterEach(async () => {
  for (const state of states.splice(0)) await state.stop();
  await rm(folder, { recursive: true, force: true });
});

const lists: readonly FactChange[] = [
  { change: 'replace', kind: 'Node', facts: [{ kind: 'Node', fact: node() }] },
  { change: 'replace', kind: 'ServiceCIDR', facts: [] },
  { change: 'replace', kind: 'Service', facts: [{ kind: 'Service', fact: service() }] },
  {
    change: 'replace',
    kind: 'EndpointSlice',
    facts: [{ kind: 'EndpointSlice', fact: slice([localEndpoint('10.1.0.1'), endpoint('10.1.1.1')]) }],
  },
];

/** An agent's part of it: `table` is what the kernel holds. */
function agent(table: readonly FilterElement[] | undefined, maxAgeMs = 3_600_000) {
  const facts: FactStore = emptyFacts('node-a');
  const log: string[] = [];
  const taken: FactChange[][] = [];
  const state = keepLastKnown({
    path,
    maxAgeMs,
    facts,
    filter: { dump: () => table },
    log: makeLog({ level: 'info', format: 'json', destination: { write: (line) => log.push(line) }, colours: false }),
    changes: (batch) => {
      taken.push([...batch]);
      applyChanges(facts, batch);
    },
    patienceMs: 20,
    pauseMs: 1,
  });
  states.push(state);
  return { facts, state, log, taken };
}

/** Lets the API server answer. */
function answer({ facts, state }: ReturnType<typeof agent>): void {
  applyChanges(facts, lists);
  state.changed(lists);
}

async function written(): Promise<void> {
  const first = agent(undefined);
  answer(first);
  await expect.poll(() => readdir(join(folder, 'state')).catch(() => [])).toEqual(['facts']);
  await first.state.stop();
}

describe('the last known state', () => {
  it('is used on a node that has nothing while the API server is away, without the pods of this node', async () => {
    await written();
    const next = agent(undefined);
    await expect.poll(() => next.taken.length).toBe(1);
    expect(next.facts.services.get('default/web')).toEqual(service());
    const slices = [...slicesOf(next.facts, 'default/web')];
    expect(slices.flatMap(({ endpoints }) => endpoints.map(({ address }) => address))).toEqual(['10.1.1.1']);
    expect(next.log.join('')).toContain('which may be stale');
    answer(next);
    expect(next.log.join('')).toContain('the last known state is over');
    expect([...slicesOf(next.facts, 'default/web')]).toMatchObject([{ endpoints: [{}, {}] }]);
  });

  it('is used where the table is there and empty', async () => {
    await written();
    const next = agent([]);
    await expect.poll(() => next.taken.length).toBe(1);
  });

  it('is not used where the kernel still holds what was programmed, nor when the API server answers', async () => {
    await written();
    const programmed = agent([{ set: 'virtual_servers', address: '10.96.0.1', protocol: 'TCP', port: 80 }]);
    const answered = agent(undefined);
    answer(answered);
    await expect.poll(() => programmed.log.join('')).toContain('what is programmed stays in force');
    expect([programmed.taken, answered.taken]).toEqual([[], []]);
    expect(answered.log).toEqual([]);
  });

  it.each([
    ['damaged', (text: string) => text.replace('10.96.0.1', '10.96.0.2')],
    ['damaged', (text: string) => text.slice(0, -20)],
    ['damaged', () => ''],
    ['absent', undefined],
  ] as const)('is not used when it is %s', async (why, spoil) => {
    await written();
    if (spoil === undefined) await rm(path);
    else await writeFile(path, spoil(await readFile(path, 'utf8')));
    const next = agent(undefined);
    await expect.poll(() => next.log.join('')).toContain(`"why":"${why}"`);
    expect(next.taken).toEqual([]);
  });

  it('is not used when it is older than it may be', async () => {
    await written();
    await new Promise((resolve) => void setTimeout(resolve, 5));
    const next = agent(undefined, 1);
    await expect.poll(() => next.log.join('')).toContain('"why":"too-old"');
    expect(next.taken).toEqual([]);
  });

  it('is not written while it is in use: a stale state does not become younger', async () => {
    await written();
    const before = await readFile(path, 'utf8');
    const next = agent(undefined);
    await expect.poll(() => next.taken.length).toBe(1);
    next.state.changed([]);
    await new Promise((resolve) => void setTimeout(resolve, 30));
    await next.state.stop();
    expect(await readFile(path, 'utf8')).toBe(before);
  });
});
