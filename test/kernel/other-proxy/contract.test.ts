import { describe } from 'vitest';
import { fakeOtherInterface } from '../../../src/kernel/fake/other-interface.ts';
import { fakeOtherTables } from '../../../src/kernel/fake/other-tables.ts';
import { routing, testOtherProxyContract } from './contract.ts';

describe('what another proxy leaves, in memory', () => {
  testOtherProxyContract(() => {
    const tables = fakeOtherTables();
    const interfaces = fakeOtherInterface();
    return {
      tables,
      interfaces,
      addTable: (name) => tables.add(name),
      addLink: (name, kind, addresses) => interfaces.addLink(name, kind, addresses),
      addRouting: () => interfaces.addRouting(...routing),
      close: () => interfaces.close(),
    };
  });
});
