import { describe, expect, it } from 'vitest';
import { adoptReading } from '../../src/core/actual.ts';
import { emptyDesired } from '../../src/core/desired.ts';
import { type Drain, type DrainStore, emptyDrains, judgeDrain, putDrain, trackDrains } from '../../src/core/drain.ts';
import type { DestinationState } from '../../src/core/model/virtual-server.ts';
import { destinationState, holding, wanting } from '../support/servers.ts';

const KEY = 'TCP 10.96.0.1:80';

function track(
  store: DrainStore,
  wanted: readonly string[],
  there: readonly string[],
  protocol: 'TCP' | 'UDP' = 'TCP',
) {
  const key = `${protocol} 10.96.0.1:80`;
  trackDrains(store, { desired: wanting(wanted, protocol), actual: holding(there, protocol) }, [key]);
  return drainsOf(store).map(({ server, destination }) => `${server} ${destination}`);
}

function drainsOf({ servers }: DrainStore): readonly Drain[] {
  return [...servers.values()].flatMap((drains) => [...drains.values()]);
}

describe('drains', () => {
  it('are what is there and not wanted', () => {
    expect(track(emptyDrains(), ['10.1.0.1'], ['10.1.0.1', '10.1.0.2'])).toEqual([`${KEY} 10.1.0.2:8080`]);
  });

  it('keep their deadline while they last', () => {
    const store = emptyDrains();
    track(store, [], ['10.1.0.2']);
    putDrain(store, { ...(drainsOf(store)[0] as Drain), deadline: 5 });
    track(store, [], ['10.1.0.2', '10.1.0.3']);
    expect(drainsOf(store).map(({ deadline }) => deadline)).toEqual([5, undefined]);
  });

  it('end when the destination is wanted again', () => {
    const store = emptyDrains();
    track(store, [], ['10.1.0.2']);
    expect(track(store, ['10.1.0.2'], ['10.1.0.2'])).toEqual([]);
  });

  it('end when the destination is gone', () => {
    const store = emptyDrains();
    track(store, [], ['10.1.0.2']);
    expect(track(store, [], [])).toEqual([]);
  });

  it('end when the virtual server is gone', () => {
    const store = emptyDrains();
    track(store, [], ['10.1.0.2']);
    const gone = adoptReading({ virtualServers: [], vips: [], elements: [] });
    trackDrains(store, { desired: emptyDesired(), actual: gone }, [KEY]);
    expect(store.count).toBe(0);
  });

  it('are none for a virtual server that nobody wants', () => {
    const store = emptyDrains();
    trackDrains(store, { desired: emptyDesired(), actual: holding(['10.1.0.2']) }, [KEY]);
    expect(store.count).toBe(0);
  });

  it('are none for UDP', () => {
    expect(track(emptyDrains(), [], ['10.1.0.2'], 'UDP')).toEqual([]);
  });

  it('of other virtual servers are not looked at', () => {
    const store = { servers: new NeverGoneThrough<Map<string, Drain>>(), count: 0 };
    for (let index = 0; index < 100; index += 1) {
      const identity = { kind: 'address', protocol: 'TCP', address: `10.96.1.${index}`, port: 80 } as const;
      putDrain(store, {
        identity,
        server: `TCP 10.96.1.${index}:80`,
        destination: '10.1.0.1:8080',
        deadline: undefined,
      });
    }
    trackDrains(store, { desired: wanting([]), actual: holding(['10.1.0.1', '10.1.0.2']) }, [KEY]);
    expect(store.count).toBe(102);
    trackDrains(store, { desired: wanting(['10.1.0.2']), actual: holding(['10.1.0.1', '10.1.0.2']) }, [KEY]);
    expect(store.count).toBe(101);
  });

  it('of other virtual servers stay', () => {
    const store = emptyDrains();
    track(store, [], ['10.1.0.2']);
    trackDrains(store, { desired: emptyDesired(), actual: holding([]) }, ['TCP 10.96.0.2:80']);
    expect(store.count).toBe(1);
  });
});

class NeverGoneThrough<Value> extends Map<string, Value> {
  override [Symbol.iterator](): never {
    throw new Error('expected to be asked for one key, was gone through');
  }
  override keys = this[Symbol.iterator];
  override values = this[Symbol.iterator];
  override entries = this[Symbol.iterator];
  override forEach = this[Symbol.iterator];
}

describe('the verdict on a drain', () => {
  const drain: Drain = {
    identity: { kind: 'address', protocol: 'TCP', address: '10.96.0.1', port: 80 },
    server: KEY,
    destination: '10.1.0.2:8080',
    deadline: undefined,
  };
  const busy = destinationState('10.1.0.2', 1, 0);
  const time = { now: 1_000, graceMs: 30_000 };

  it.each<[string, DestinationState | undefined]>([
    ['gone', undefined],
    ['without connections', destinationState('10.1.0.2', 0, 0)],
  ])('is over when the destination is %s, listed or not', (_, state) => {
    for (const isListed of [true, false]) {
      expect(judgeDrain(drain, state, isListed, time)).toEqual({ verdict: 'over', why: 'no-connections' });
    }
  });

  it('waits for inactive connections too', () => {
    const state = destinationState('10.1.0.2', 0, 1);
    expect(judgeDrain(drain, state, true, time)).toEqual({ verdict: 'wait', drain });
  });

  it('starts the grace when the endpoint is listed no more', () => {
    expect(judgeDrain(drain, busy, false, time)).toEqual({ verdict: 'wait', drain: { ...drain, deadline: 31_000 } });
  });

  it('holds to the deadline once it is set', () => {
    const later = { ...drain, deadline: 2_000 };
    expect(judgeDrain(later, busy, false, { ...time, now: 1_999 })).toEqual({ verdict: 'wait', drain: later });
    expect(judgeDrain(later, busy, false, { ...time, now: 2_000 })).toEqual({ verdict: 'over', why: 'grace-over' });
  });

  it('takes the deadline back when the endpoint is listed again', () => {
    expect(judgeDrain({ ...drain, deadline: 2_000 }, busy, true, { ...time, now: 5_000 })).toEqual({
      verdict: 'wait',
      drain,
    });
  });

  it('gives no time when the grace is 0', () => {
    expect(judgeDrain(drain, busy, false, { now: 1_000, graceMs: 0 })).toEqual({ verdict: 'over', why: 'grace-over' });
  });
});
