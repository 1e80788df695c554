import { describe, expect, it } from 'vitest';
import { fakeConntrack } from '../../../src/kernel/fake/conntrack.ts';
import { dns, testConntrackContract } from './contract.ts';

describe('connection tracking in memory', () => {
  testConntrackContract(() => {
    const conntrack = fakeConntrack();
    return {
      conntrack,
      track: (flows) => flows.forEach((flow) => void conntrack.track(flow)),
      close: () => conntrack.close(),
    };
  });

  it('refuses what it is told to, once, and counts lists', () => {
    const conntrack = fakeConntrack();
    const flow = conntrack.track(dns.IPv4);
    conntrack.failNext(() => true, 'EPERM');
    expect(conntrack.remove([flow]).failures.map(({ error }) => error.code)).toEqual(['EPERM']);
    expect(conntrack.remove([flow]).failures).toEqual([]);
    expect([...conntrack.flows('IPv4')]).toEqual([]);
    expect(conntrack.lists).toBe(1);
  });
});
