import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Family } from '../../../src/core/model/facts.ts';
import { isKernelError } from '../../../src/kernel/error.ts';
import type { IpsetPort } from '../../../src/kernel/ipset/open-ipset.ts';

/** The ipsets of one network namespace under test. */
export interface IpsetUnderTest {
  readonly ipset: IpsetPort;
  /** Another program makes a set. */
  readonly create: (name: string, family: Family) => void;
  /** A rule of another program names it; returns what removes that rule. */
  readonly hold: (name: string) => () => void;
  readonly close: () => void;
}

/** As long as a name may be. */
const longest = 'KUBE-6-LOAD-BALANCER-SOURCE-CID';

/** What every IpsetPort does. */
export function testIpsetContract(make: () => IpsetUnderTest): void {
  let subject: IpsetUnderTest;
  const names = (): readonly string[] => [...subject.ipset.names()].sort();

  beforeEach(() => {
    subject = make();
  });
  afterEach(() => subject.close());

  it('lists none where none was made', () => {
    expect(names()).toEqual([]);
  });

  it('lists the sets of both families', () => {
    subject.create('one', 'IPv4');
    subject.create('inet6:one', 'IPv6');
    subject.create(longest, 'IPv6');
    expect(names()).toEqual([longest, 'inet6:one', 'one']);
  });

  it('removes one set, once', () => {
    subject.create('one', 'IPv4');
    subject.create('two', 'IPv6');
    expect([subject.ipset.destroy('one'), subject.ipset.destroy('one')]).toEqual(['removed', 'absent']);
    expect(names()).toEqual(['two']);
  });

  it('takes the name to the letter', () => {
    subject.create('one', 'IPv4');
    for (const name of ['', 'on', 'ONE', 'one ', 'ones']) {
      expect([name, subject.ipset.destroy(name)]).toEqual([name, 'absent']);
    }
    expect(names()).toEqual(['one']);
  });

  it('refuses a name that no set can have', () => {
    subject.create(longest, 'IPv4');
    expect(codeOf(() => subject.ipset.destroy(`${longest}R`))).toBe('EINVAL');
    expect(names()).toEqual([longest]);
  });

  it('keeps a set for as long as a rule names it', async () => {
    subject.create('one', 'IPv4');
    subject.create('two', 'IPv4');
    const letGo = [subject.hold('one'), subject.hold('one')];
    expect([subject.ipset.destroy('one'), subject.ipset.destroy('two')]).toEqual(['in-use', 'removed']);
    letGo[0]?.();
    expect(subject.ipset.destroy('one')).toBe('in-use');
    letGo[1]?.();
    // Rules are freed after a grace period.
    await vi.waitFor(() => expect(subject.ipset.destroy('one')).toBe('removed'));
    expect(names()).toEqual([]);
  });
}

function codeOf(call: () => unknown): string {
  try {
    return String(call());
  } catch (error) {
    return isKernelError(error) ? error.code : String(error);
  }
}
