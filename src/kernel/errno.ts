/**
 * The errno values that the interfaces in `src/kernel` answer with. The numbers are those of
 * include/uapi/asm-generic/errno*.h, which x86, arm64, riscv and user-mode Linux share.
 */
export const errno = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOSPC: 28,
  EROFS: 30,
  EMLINK: 31,
  ERANGE: 34,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ENODATA: 61,
  ENONET: 64,
  EPROTO: 71,
  EOVERFLOW: 75,
  ERESTART: 85,
  EMSGSIZE: 90,
  ENOPROTOOPT: 92,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ENOBUFS: 105,
  ETIMEDOUT: 110,
  EHOSTUNREACH: 113,
  ESTALE: 116,
} as const;

/** The name of a known errno, or its number as text (`errno-524`) where the table has none. */
export type ErrnoCode = keyof typeof errno | `errno-${number}`;

/** Names a positive errno value. */
export function errnoCode(value: number): ErrnoCode {
  return names.get(value) ?? `errno-${value}`;
}

const names: ReadonlyMap<number, keyof typeof errno> = new Map(
  // Object.keys loses the key type of a constant object.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  (Object.keys(errno) as (keyof typeof errno)[]).map((name) => [errno[name], name]),
);
