import { afterAll, describe, expect, it } from 'vitest';
import { schedulers } from '../../../src/core/model/virtual-server.ts';
import { openIpvs } from '../../../src/kernel/ipvs/open-ipvs.ts';
import { availableSchedulers } from '../../../src/kernel/ipvs/scheduler-probe.ts';
import { makeNamespaces } from './namespaces.ts';

const namespaces = makeNamespaces('ipvs-schedulers');

afterAll(() => namespaces.close());

describe('asking the kernel for its schedulers', () => {
  it('finds all of them and leaves nothing behind', () => {
    const networkNamespace = namespaces.take();
    const table = openIpvs({ networkNamespace });
    expect([...availableSchedulers({ networkNamespace })]).toEqual(schedulers);
    expect(table.dump()).toEqual([]);
    table.close();
  });
});
