import { describe } from 'vitest';
import { fakeReversePath } from '../../../src/kernel/fake/reverse-path.ts';
import { testReversePathContract } from './contract.ts';

describe('reverse-path checks in memory', () => {
  testReversePathContract(() => {
    const port = fakeReversePath();
    for (const [name, address] of [
      ['vp1', '10.1.0.2'],
      ['vp2', '10.1.0.3'],
    ] as const) {
      port.setLink(name, 0);
      port.route(address, name);
    }
    return {
      port,
      setAll: (value) => {
        port.all = value;
      },
      valueOf: (name) => port.valueOf(name),
      remove: (name) => port.removeLink(name),
      close: () => {},
    };
  });
});
