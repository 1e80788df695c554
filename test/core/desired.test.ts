import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DesiredStore, emptyDesired, refusalsOf, setContribution } from '../../src/core/desired.ts';
import type { Contribution, Frontend, Resource } from '../../src/core/model/resource.ts';

function vip(address: string, source = '192.168.0.1'): Resource {
  return { kind: 'vip', key: `vip ${address}`, value: { address, source } };
}

function drop(address: string, port: number): Resource {
  const value = { set: 'drop', address, protocol: 'TCP', port } as const;
  return { kind: 'element', key: `drop TCP ${address}:${port}`, value };
}

function frontend(address: string, port: number, ...more: readonly Resource[]): Frontend {
  return { key: `TCP ${address}:${port}`, resources: [vip(address), drop(address, port), ...more] };
}

function contribution(service: string, createdAt: number, ...frontends: readonly Frontend[]): Contribution {
  return { service, createdAt, scheduler: 'rr', frontends, refusals: [], localGaps: [] };
}

function put(desired: DesiredStore, ...all: readonly Contribution[]): readonly string[] {
  return all.flatMap((each) => [...setContribution(desired, each.service, each)]);
}

function counts(desired: DesiredStore): Readonly<Record<string, number>> {
  return Object.fromEntries([...desired.resources.keys()].map((key) => [key, desired.holds.get(key) ?? 1]));
}

function winner(desired: DesiredStore, key = 'TCP 10.96.0.1:80'): string | undefined {
  return desired.claims.get(key)?.[0]?.service;
}

const A = '10.96.0.1';
const ofA = frontend(A, 80);

describe('a contested frontend', () => {
  it.each(['a/old b/new', 'b/new a/old'])('goes to the older Service, whoever comes first: %s', (order) => {
    const desired = emptyDesired();
    for (const service of order.split(' ')) {
      put(desired, contribution(service, service === 'a/old' ? 1 : 2, ofA));
    }
    expect(winner(desired)).toBe('a/old');
    expect(counts(desired)).toEqual({ [`vip ${A}`]: 1, [`drop TCP ${A}:80`]: 1 });
    expect(refusalsOf(desired, 'a/old')).toEqual([]);
    expect(refusalsOf(desired, 'b/new')).toMatchObject([
      { reason: 'frontend-claimed-by-older-service', subject: `TCP ${A}:80`, found: 'a/old' },
    ]);
  });

  it('goes to the first name when both are of the same age', () => {
    const desired = emptyDesired();
    put(desired, contribution('b/web', 1, ofA), contribution('a/web', 1, ofA), contribution('c/web', 1, ofA));
    expect(desired.claims.get(`TCP ${A}:80`)?.map((claim) => claim.service)).toEqual(['a/web', 'b/web', 'c/web']);
  });

  it('is taken over when the winner lets go, with the resources of the loser', () => {
    const desired = emptyDesired();
    const other = frontend(A, 80, drop('10.1.1.1', 1));
    put(desired, contribution('a/old', 1, ofA), contribution('b/new', 2, other));
    expect(setContribution(desired, 'a/old', undefined)).toEqual(
      new Set([`vip ${A}`, `drop TCP ${A}:80`, 'drop TCP 10.1.1.1:1']),
    );
    expect(winner(desired)).toBe('b/new');
    expect(counts(desired)).toEqual({ [`vip ${A}`]: 1, [`drop TCP ${A}:80`]: 1, 'drop TCP 10.1.1.1:1': 1 });
    expect(refusalsOf(desired, 'b/new')).toEqual([]);
  });

  it('is taken over when the winner drops this frontend alone', () => {
    const desired = emptyDesired();
    put(desired, contribution('a/old', 1, ofA, frontend(A, 81)), contribution('b/new', 2, ofA));
    put(desired, contribution('a/old', 1, frontend(A, 81)));
    expect(winner(desired)).toBe('b/new');
    expect(counts(desired)[`vip ${A}`]).toBe(2);
  });

  it('is lost by a Service that was deleted and made again', () => {
    const desired = emptyDesired();
    put(desired, contribution('a/web', 1, ofA), contribution('b/web', 2, ofA), contribution('a/web', 3, ofA));
    expect(winner(desired)).toBe('b/web');
  });

  it('changes nothing when the loser changes or goes', () => {
    const desired = emptyDesired();
    put(desired, contribution('a/old', 1, ofA));
    expect(put(desired, contribution('b/new', 2, frontend(A, 80, drop('10.1.1.1', 1))))).toEqual([]);
    expect(setContribution(desired, 'b/new', undefined).size).toBe(0);
    expect(desired.contributions.has('b/new')).toBe(false);
    expect(refusalsOf(desired, 'b/new')).toEqual([]);
  });
});

describe('a shared resource', () => {
  it('stands until the last of one Service’s ports lets go', () => {
    const desired = emptyDesired();
    put(desired, contribution('a/web', 1, ofA, frontend(A, 81), frontend(A, 82)));
    expect(counts(desired)[`vip ${A}`]).toBe(3);
    put(desired, contribution('a/web', 1, frontend(A, 82)));
    expect(counts(desired)).toEqual({ [`vip ${A}`]: 1, [`drop TCP ${A}:82`]: 1 });
    put(desired, contribution('a/web', 1));
    expect(desired.resources.size).toBe(0);
    expect(desired.claims.size).toBe(0);
  });

  it('stands until the last of several Services lets go', () => {
    const desired = emptyDesired();
    put(desired, contribution('a/web', 1, ofA), contribution('b/web', 2, frontend(A, 81)));
    setContribution(desired, 'a/web', undefined);
    expect(counts(desired)).toEqual({ [`vip ${A}`]: 1, [`drop TCP ${A}:81`]: 1 });
  });

  it('is as the last contribution has it', () => {
    const desired = emptyDesired();
    put(desired, contribution('a/web', 1, ofA));
    const moved: Frontend = { key: `TCP ${A}:80`, resources: [vip(A, '192.168.0.2')] };
    expect(put(desired, contribution('a/web', 1, moved))).toContain(`vip ${A}`);
    expect(desired.resources.get(`vip ${A}`)?.value).toEqual({ address: A, source: '192.168.0.2' });
  });

  it('is again as a Service has it that is compiled to the same, after another had it otherwise', () => {
    const desired = emptyDesired();
    const own: Frontend = { key: `TCP ${A}:80`, resources: [vip(A, '192.168.0.2')] };
    put(desired, contribution('a/web', 1, own));
    put(desired, contribution('b/web', 2, { key: `TCP ${A}:81`, resources: [vip(A, '192.168.0.1')] }));
    setContribution(desired, 'b/web', undefined);
    expect(put(desired, contribution('a/web', 1, own))).toContain(`vip ${A}`);
    expect(desired.resources.get(`vip ${A}`)).toBe(own.resources[0]);
    expect(counts(desired)).toEqual({ [`vip ${A}`]: 1 });
  });

  it('may be asked for twice by one frontend', () => {
    const desired = emptyDesired();
    put(desired, contribution('a/web', 1, frontend(A, 80, vip(A))));
    setContribution(desired, 'a/web', undefined);
    expect(desired.resources.size).toBe(0);
  });
});

describe('after any sequence of contributions', () => {
  const address = fc.constantFrom('10.96.0.1', '10.96.0.2');
  const resource = fc.tuple(address, fc.integer({ min: 1, max: 3 })).map(([where, port]) => drop(where, port));
  const frontends = fc.uniqueArray(
    fc.tuple(address, fc.integer({ min: 80, max: 82 }), fc.array(resource, { maxLength: 3 })),
    { maxLength: 4, selector: ([where, port]) => `${where} ${port}` },
  );
  const step = fc.record({
    service: fc.constantFrom('a/web', 'b/web', 'c/web', 'd/web'),
    createdAt: fc.integer({ min: 1, max: 3 }),
    frontends: fc.option(frontends),
  });

  it('the resources are those of the oldest claim on each frontend, and every change was told', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const desired = emptyDesired();
        for (const { service, createdAt, frontends: wanted } of steps) {
          const before = new Map(desired.resources);
          const made = wanted?.map(([where, port, more]) => frontend(where, port, ...more));
          const next = made === undefined ? undefined : contribution(service, createdAt, ...made);
          const changed = setContribution(desired, service, next);
          expect(counts(desired)).toEqual(foldWinners(desired));
          expect([...desired.holds].filter(([key, count]) => count < 2 || !desired.resources.has(key))).toEqual([]);
          expectTold(desired, before, changed);
        }
      }),
    );
  });
});

/** What the resources should be, from the contributions alone. */
function foldWinners(desired: DesiredStore): Readonly<Record<string, number>> {
  const bySeniority = [...desired.contributions.values()].sort((one, other) =>
    one.createdAt === other.createdAt ? (one.service < other.service ? -1 : 1) : one.createdAt - other.createdAt,
  );
  const winners = new Map<string, Frontend>();
  for (const each of bySeniority.flatMap((one) => one.frontends)) {
    winners.set(each.key, winners.get(each.key) ?? each);
  }
  const found: Record<string, number> = {};
  for (const { key } of [...winners.values()].flatMap((each) => each.resources)) {
    found[key] = (found[key] ?? 0) + 1;
  }
  return found;
}

function expectTold(desired: DesiredStore, before: ReadonlyMap<string, Resource>, changed: ReadonlySet<string>): void {
  const keys = [...new Set([...before.keys(), ...desired.resources.keys()])];
  const different = keys.filter((key) => before.get(key) !== desired.resources.get(key));
  expect(different.filter((key) => !changed.has(key))).toEqual([]);
}
