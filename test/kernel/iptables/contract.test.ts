import { describe } from 'vitest';
import { fakeIpset } from '../../../src/kernel/fake/ipset.ts';
import { fakeIptables } from '../../../src/kernel/fake/iptables.ts';
import { testIptablesContract } from './contract.ts';

describe('iptables in memory', () => {
  testIptablesContract(async () => {
    const ipset = fakeIpset();
    return {
      iptables: fakeIptables(ipset),
      ipset,
      createSet: (name, family) => ipset.create(name, family),
      close: () => ipset.close(),
    };
  });
});
