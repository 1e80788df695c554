import { describe, expect, it } from 'vitest';
import { isScheduler, readWishes, type SchedulerChoice } from '../../src/core/annotations.ts';
import { type Scheduler, schedulers } from '../../src/core/model/virtual-server.ts';

const ROUTER = 'kube-router.io/service.';

function wishes(annotations: Readonly<Record<string, string>>, choice: Partial<SchedulerChoice> = {}) {
  return readWishes(
    { annotations },
    { defaultScheduler: 'rr', available: new Set(schedulers), last: undefined, ...choice },
  );
}

function reasons(found: ReturnType<typeof wishes>): readonly string[] {
  return found.refusals.map(({ reason, subject }) => `${reason} ${subject}`);
}

describe('the scheduler of a Service', () => {
  it('is the default without an annotation, whatever it was before', () => {
    expect(wishes({}, { defaultScheduler: 'wlc', last: 'mh' })).toEqual({
      scheduler: 'wlc',
      schedulerFlags: 0,
      forcesExternalLocal: false,
      ignoresLoadBalancerIPs: false,
      refusals: [],
    });
  });

  it.each(schedulers)('may be %s, by either annotation', (name) => {
    for (const key of [`${ROUTER}scheduler`, 'sluice.dev/scheduler']) {
      const found = wishes({ [key]: name });
      expect(found.scheduler).toBe(name);
      expect(found.refusals).toEqual([]);
    }
  });

  it('is sluice’s own where both annotations speak, and the conflict is told', () => {
    const found = wishes({ [`${ROUTER}scheduler`]: 'lc', 'sluice.dev/scheduler': 'mh' });
    expect(found.scheduler).toBe('mh');
    expect(reasons(found)).toEqual([`annotation-conflict ${ROUTER}scheduler`]);
  });

  it('is no conflict when both say the same', () => {
    expect(wishes({ [`${ROUTER}scheduler`]: 'lc', 'sluice.dev/scheduler': 'lc' }).refusals).toEqual([]);
  });

  it.each(['weighted', 'RR', 'rr ', '', '../ip_vs_rr', 'constructor'])(
    'stays as it was when %j is asked for',
    (name) => {
      const found = wishes({ 'sluice.dev/scheduler': name }, { last: 'lc' });
      expect(found.scheduler).toBe('lc');
      expect(reasons(found)).toEqual(['scheduler-unknown sluice.dev/scheduler']);
      expect(wishes({ [`${ROUTER}scheduler`]: name }).scheduler).toBe('rr');
    },
  );

  it('is the default when this kernel lacks it', () => {
    const found = wishes({ [`${ROUTER}scheduler`]: 'mh' }, { available: new Set<Scheduler>(['rr', 'lc']), last: 'lc' });
    expect(found.scheduler).toBe('rr');
    expect(reasons(found)).toEqual([`scheduler-not-in-kernel ${ROUTER}scheduler`]);
  });

  it('does not stay what this kernel turned out to lack', () => {
    const found = wishes({ 'sluice.dev/scheduler': 'typo' }, { available: new Set<Scheduler>(['rr']), last: 'lc' });
    expect(found.scheduler).toBe('rr');
  });

  it('is told from any other word', () => {
    expect([isScheduler('mh'), isScheduler('toString'), isScheduler('MH')]).toEqual([true, false, false]);
  });
});

describe('the scheduler flags of a Service', () => {
  it.each([
    ['flag-1', 0x08],
    ['flag-2', 0x10],
    ['flag-3', 0x20],
    ['flag-1,flag-2', 0x18],
    [' flag-1 , flag-2,flag-3 ', 0x38],
    ['mh-fallback,mh-port', 0x18],
    ['fallback', 0x08],
    [',', 0],
    ['', 0],
  ])('are, for mh and %j, %i', (text, bits) => {
    for (const key of [`${ROUTER}schedflags`, 'sluice.dev/scheduler-flags']) {
      const found = wishes({ [`${ROUTER}scheduler`]: 'mh', [key]: text });
      expect(found.schedulerFlags).toBe(bits);
      expect(found.refusals).toEqual([]);
    }
  });

  it('keep the known words when others are not known', () => {
    const found = wishes({
      [`${ROUTER}scheduler`]: 'mh',
      [`${ROUTER}schedflags`]: 'flag-1,flag-9,sh-port,constructor',
    });
    expect(found.schedulerFlags).toBe(0x08);
    expect(found.refusals.map(({ reason, found: word }) => `${reason} ${word}`)).toEqual([
      'scheduler-flag-unknown flag-9',
      'scheduler-flag-unknown sh-port',
      'scheduler-flag-unknown constructor',
    ]);
  });

  it('count for sh by sluice’s annotation alone', () => {
    expect(wishes({ 'sluice.dev/scheduler': 'sh', [`${ROUTER}schedflags`]: 'flag-1' }).schedulerFlags).toBe(0);
    const found = wishes({ 'sluice.dev/scheduler': 'sh', 'sluice.dev/scheduler-flags': 'sh-fallback,sh-port' });
    expect(found.schedulerFlags).toBe(0x18);
    expect(found.refusals).toEqual([]);
  });

  it('count for no other scheduler', () => {
    const found = wishes({ 'sluice.dev/scheduler': 'rr', 'sluice.dev/scheduler-flags': 'flag-1' });
    expect(found.schedulerFlags).toBe(0);
    expect(reasons(found)).toEqual(['scheduler-flag-unknown sluice.dev/scheduler-flags']);
  });

  it('are sluice’s own where both annotations speak', () => {
    const found = wishes({
      'sluice.dev/scheduler': 'mh',
      'sluice.dev/scheduler-flags': 'flag-2',
      [`${ROUTER}schedflags`]: 'flag-1',
    });
    expect(found.schedulerFlags).toBe(0x10);
    expect(reasons(found)).toEqual([`annotation-conflict ${ROUTER}schedflags`]);
  });
});

describe('kube-router’s other annotations', () => {
  it.each([
    ['true', true],
    ['True', false],
    ['1', false],
    ['', false],
  ])('service.local counts when it is "true", not as %j', (value, expected) => {
    expect(wishes({ [`${ROUTER}local`]: value }).forcesExternalLocal).toBe(expected);
  });

  it.each(['', 'false', 'true'])('service.skiplbips counts by being there, with value %j', (value) => {
    expect(wishes({ [`${ROUTER}skiplbips`]: value }).ignoresLoadBalancerIPs).toBe(true);
  });
});
