import { describe } from 'vitest';
import { fakeIpset } from '../../../src/kernel/fake/ipset.ts';
import { testIpsetContract } from './contract.ts';

describe('ipsets in memory', () => {
  testIpsetContract(() => {
    const ipset = fakeIpset();
    return {
      ipset,
      create: (name, family) => ipset.create(name, family),
      hold: (name) => {
        ipset.hold(name);
        return () => ipset.release(name);
      },
      close: () => ipset.close(),
    };
  });
});
