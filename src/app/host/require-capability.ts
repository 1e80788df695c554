/** What the process must be allowed before anything is opened: without it the kernel refuses each request alone. */

import type { SysctlPort } from '../../kernel/ports.ts';

/** CAP_NET_ADMIN, the number of its bit: linux/capability.h. */
const netAdmin = 12n;

/** Throws an Error that says what is missing and how to give it. `processFiles` is /proc/self. */
export function requireNetAdmin(processFiles: Pick<SysctlPort, 'read'>): void {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(processFiles.read('status') ?? '')?.[1];
  if (effective === undefined || ((BigInt(`0x${effective}`) >> netAdmin) & 1n) === 1n) {
    return;
  }
  throw new Error(
    `expected the capability NET_ADMIN, found the effective capabilities 0x${effective} (CapEff in /proc/self/status); run as root, or in a pod add NET_ADMIN to securityContext.capabilities.add of the container and let it run as user 0`,
  );
}
