import { describe } from 'vitest';
import { fakeIpvs } from '../../../src/kernel/fake/ipvs.ts';
import { testIpvsContract } from './contract.ts';

describe('the IPVS table in memory', () => {
  testIpvsContract(() => fakeIpvs());
});
