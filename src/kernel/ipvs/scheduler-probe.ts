/**
 * Which schedulers the running kernel has: built in, loaded, or loadable by it now.
 *
 * No file answers that: /proc/modules lacks what is built in; modules.builtin and modules.dep are missing in most
 * containers. So the kernel is asked, in a way that makes nothing. It looks for the scheduler of a new virtual server
 * (and loads its module) before it looks at the prefix length of an IPv6 one (ip_vs_add_service): with the impossible
 * length 0 the answer is ENOENT without the scheduler, and EINVAL with it.
 *
 * Where IPv6 is switched off the answer is EAFNOSUPPORT. There a virtual server of a firewall mark is made for each,
 * which no packet reaches, and removed at once.
 */

import {
  type Scheduler,
  schedulers,
  type VirtualServer,
  type VirtualServerIdentity,
} from '../../core/model/virtual-server.ts';
import { type Batch, createBatch } from '../netlink/batch.ts';
import { NETLINK_GENERIC } from '../netlink/constants.ts';
import { resolveGenericFamily } from '../netlink/generic.ts';
import { closeNetlinkSocket, type NetlinkSocket, openNetlinkSocket } from '../netlink/socket.ts';
import { type MessageFailure, transact } from '../netlink/transact.ts';
import { command, familyName } from './constants.ts';
import type { IpvsOptions } from './open-ipvs.ts';
import { encodeIdentity, encodeNewService } from './service-message.ts';

/**
 * Asks the kernel for every scheduler of the closed list, and for no other name. Throws `KernelError`: ENOENT without
 * IPVS, EPERM without CAP_NET_ADMIN in the initial user namespace.
 */
export function availableSchedulers(options: IpvsOptions = {}): ReadonlySet<Scheduler> {
  const socket = openNetlinkSocket({ ...options, protocol: NETLINK_GENERIC });
  try {
    return probeSchedulers(socket, resolveGenericFamily(socket, familyName));
  } finally {
    closeNetlinkSocket(socket);
  }
}

/** The same on an open socket. */
export function probeSchedulers(socket: NetlinkSocket, familyId: number): ReadonlySet<Scheduler> {
  const answers = send(socket, (batch) => {
    for (const scheduler of schedulers) encodeNewService(batch, familyId, impossible(scheduler));
  });
  const codes = new Map(answers.map(({ index, code }) => [index, code]));
  if (codes.get(0) === 'EAFNOSUPPORT') return probeByMarks(socket, familyId);
  return new Set(schedulers.filter((_, index) => codes.get(index) === 'EINVAL'));
}

/** A documentation address (RFC 3849), should a kernel ever take the length. */
function impossible(scheduler: Scheduler): VirtualServer {
  const identity = { kind: 'address', protocol: 'TCP', address: '2001:db8::1', port: 1 } as const;
  return { identity, scheduler, flags: 0, timeoutSeconds: 0, prefixLength: 0 };
}

function probeByMarks(socket: NetlinkSocket, familyId: number): ReadonlySet<Scheduler> {
  const refused = send(socket, (batch) => {
    for (const [index, scheduler] of schedulers.entries()) {
      const identity = markOf(index);
      encodeNewService(batch, familyId, { identity, scheduler, flags: 0, timeoutSeconds: 0, prefixLength: 32 });
    }
  });
  const refusedIndices = new Set(refused.map(({ index }) => index));
  const made = schedulers.filter((_, index) => !refusedIndices.has(index));
  send(socket, (batch) => {
    for (const scheduler of made) {
      encodeIdentity(batch, familyId, command.deleteService, markOf(schedulers.indexOf(scheduler)));
    }
  });
  return new Set(made);
}

/** Marks with the highest bit and few others: nobody marks a packet with one of them alone. */
function markOf(index: number): VirtualServerIdentity {
  return { kind: 'fwmark', family: 'IPv4', mark: 0x8000_7000 + index };
}

function send(socket: NetlinkSocket, write: (batch: Batch) => void): readonly MessageFailure[] {
  const batch = createBatch(4096);
  write(batch);
  const outcome = transact(socket, batch);
  if (outcome.state === 'unknown') throw outcome.cause;
  return outcome.failures;
}
