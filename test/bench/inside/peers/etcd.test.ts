import { expect, it } from 'vitest';
import { batchesOf } from './etcd.ts';
import { firstService, storedServices } from './stored-objects.ts';

it.each([1, 10, 100])('has transactions of a size that etcd takes, with %i endpoints', (endpoints) => {
  const size = { services: 200, endpoints, family: 'IPv6' } as const;
  const batches = [...batchesOf(storedServices(size, firstService, firstService + size.services))];
  expect(batches.flat()).toHaveLength(600);
  for (const batch of batches) {
    expect(batch.length).toBeLessThanOrEqual(128);
    expect(batch.reduce((sum, { key, value }) => sum + key.length + value.length, 0)).toBeLessThan(1.5 * 2 ** 20);
  }
});
