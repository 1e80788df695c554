import { describe, expect, it } from 'vitest';
import { fakeLink } from '../../../src/kernel/fake/link.ts';
import { addVip, nodeAddresses, testLinkContract } from './contract.ts';

describe('the VIP interface in memory', () => {
  testLinkContract((setting) => {
    const link = fakeLink({ ...setting, addresses: nodeAddresses });
    return {
      link,
      addAddress: (address) => link.addAddress(address),
      deleteAddress: (address) => link.deleteAddress(address),
      deleteRoute: (address) => link.deleteRoute(address),
      close: () => link.close(),
    };
  });

  it('refuses what it is told to, once, and counts', () => {
    const link = fakeLink({ addresses: nodeAddresses });
    link.ensureInterface();
    link.failNext(({ kind }) => kind === 'add-vip', 'ENOBUFS');
    const operations = [addVip('10.96.0.1'), addVip('10.96.0.2')];
    expect(link.apply(operations).failures.map(({ index, error }) => [index, error.code])).toEqual([[0, 'ENOBUFS']]);
    link.loseNextReplies();
    expect(link.apply(operations).unknown).toBe(true);
    expect(link.dumpVips()).toHaveLength(2);
    expect(link.writes).toBe(4);
  });

  it('tells listeners of changed addresses until they stop', () => {
    const link = fakeLink();
    let calls = 0;
    const stop = link.onAddressChange(() => {
      calls += 1;
    });
    link.setNodeAddresses(['192.0.2.11']);
    stop();
    link.setNodeAddresses([]);
    expect(calls).toBe(1);
  });
});
