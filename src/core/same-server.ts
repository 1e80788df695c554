import type { VirtualServer } from './model/virtual-server.ts';

/** Whether two virtual servers of one identity are set the same. */
export function isSameServer(one: VirtualServer, other: VirtualServer): boolean {
  return (
    one === other ||
    (one.scheduler === other.scheduler &&
      one.flags === other.flags &&
      one.timeoutSeconds === other.timeoutSeconds &&
      one.prefixLength === other.prefixLength)
  );
}
