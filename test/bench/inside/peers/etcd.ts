import type { StoredObject } from './stored-objects.ts';

const url = 'http://127.0.0.1:2379/v3/kv/txn';
/** etcd takes at most 128 operations in one transaction unless told otherwise, and 1.5 MiB (--max-request-bytes). */
const most = { operations: 120, bytes: 1 << 20 } as const;

/** Puts objects into etcd, beside the API server: ten thousand of them in seconds. */
export async function store(objects: Iterable<StoredObject>): Promise<void> {
  for (const batch of batchesOf(objects)) {
    await commit(batch.map(({ key, value }) => ({ requestPut: { key: encode(key), value: encode(value) } })));
  }
}

interface Put {
  readonly key: string;
  readonly value: string;
}

/** What fits into one transaction, each time. */
export function* batchesOf(objects: Iterable<StoredObject>): Iterable<readonly Put[]> {
  let batch: Put[] = [];
  let bytes = 0;
  for (const { key, value } of objects) {
    const put = { key, value: JSON.stringify(value) };
    const size = key.length + Buffer.byteLength(put.value);
    if (batch.length > 0 && (batch.length === most.operations || bytes + size > most.bytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(put);
    bytes += size;
  }
  if (batch.length > 0) {
    yield batch;
  }
}

async function commit(success: readonly object[]): Promise<void> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify({ success }) });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`expected etcd to store ${success.length} objects, found ${response.status}: ${text}`);
  }
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}
