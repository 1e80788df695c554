import { readFileSync } from 'node:fs';

/** AT_PAGESZ of include/uapi/linux/auxvec.h. */
const pageSizeEntry = 6n;

/** The kernel's page size in bytes; 65536, the largest there is, when it cannot be told. */
export function readPageSize(path = '/proc/self/auxv'): number {
  try {
    return pageSizeIn(readFileSync(path)) ?? 65536;
  } catch {
    return 65536;
  }
}

/** The auxiliary vector is a list of pairs of machine words. */
function pageSizeIn(vector: Buffer): number | undefined {
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    if (vector.readBigUInt64LE(at) === pageSizeEntry) return Number(vector.readBigUInt64LE(at + 8));
  }
  return undefined;
}
