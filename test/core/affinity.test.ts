import { describe, expect, it } from 'vitest';
import { insideScheduling, keepsClients } from '../../src/core/affinity.ts';
import { compileService } from '../../src/core/compile.ts';
import { emptyFacts } from '../../src/core/facts.ts';
import type { Scheduler } from '../../src/core/model/virtual-server.ts';
import { context } from '../support/context.ts';
import { endpoint, service, slice } from '../support/facts.ts';

const persistent = { scheduler: 'rr', flags: 1, timeoutSeconds: 600 } as const;
const every: ReadonlySet<Scheduler> = new Set(['rr', 'sh', 'mh']);

describe('the scheduling of an inside view', () => {
  it('is the plain one without session affinity', () => {
    const plain = { scheduler: 'wlc', flags: 0, timeoutSeconds: 0 } as const;
    expect(insideScheduling(plain, every)).toBe(plain);
    expect(keepsClients(plain)).toBe(false);
  });

  it('hashes the client where the plain one is persistent, and never refuses for a destination that drains', () => {
    expect(insideScheduling(persistent, every)).toEqual({ scheduler: 'mh', flags: 8, timeoutSeconds: 0 });
    expect(insideScheduling(persistent, new Set(['rr', 'sh']))).toEqual({
      scheduler: 'sh',
      flags: 8,
      timeoutSeconds: 0,
    });
  });

  it('keeps a hash that was asked for, without the port, which changes with each connection', () => {
    const plain = { scheduler: 'sh', flags: 1 | 0x10, timeoutSeconds: 600 } as const;
    expect(insideScheduling(plain, every)).toEqual({ scheduler: 'sh', flags: 8, timeoutSeconds: 0 });
  });

  it('is without affinity where the kernel cannot hash', () => {
    const inside = insideScheduling(persistent, new Set(['rr']));
    expect(inside).toEqual({ scheduler: 'rr', flags: 0, timeoutSeconds: 0 });
    expect([keepsClients(persistent), keepsClients(inside)]).toEqual([true, false]);
  });
});

describe('a Service with session affinity and externalTrafficPolicy Local', () => {
  it('has a persistent plain view, an inside view that hashes, and is told when it cannot', () => {
    expect(compiled(every)).toEqual({ schedulings: ['rr 1 600', 'rr 1 600', 'mh 8 0'], reasons: [] });
    expect(compiled(new Set(['rr']))).toEqual({
      schedulings: ['rr 1 600', 'rr 1 600', 'rr 0 0'],
      reasons: ['scheduler-not-in-kernel'],
    });
  });
});

function compiled(available: ReadonlySet<Scheduler>): { schedulings: readonly string[]; reasons: readonly string[] } {
  const { frontends, refusals } = compileService({
    service: service({
      externalIPs: ['198.51.100.1'],
      externalTrafficPolicy: 'Local',
      affinityTimeoutSeconds: 600,
    }),
    slices: [slice([endpoint('10.1.0.1')])],
    addresses: emptyFacts('node-a').addresses,
    context: context({ schedulers: { defaultScheduler: 'rr', available } }),
    last: undefined,
    markOf: () => 0x1000,
  });
  const resources = frontends.flatMap((frontend) => frontend.resources);
  const schedulings = resources.flatMap((resource) =>
    resource.kind === 'virtual-server'
      ? [`${resource.value.server.scheduler} ${resource.value.server.flags} ${resource.value.server.timeoutSeconds}`]
      : [],
  );
  return { schedulings, reasons: refusals.map(({ reason }) => reason) };
}
