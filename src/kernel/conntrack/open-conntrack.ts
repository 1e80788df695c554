/** The kernel's connection tracking through ctnetlink. */

import type { Family } from '../../core/model/facts.ts';
import type { UdpFlow } from '../../core/model/flow.ts';
import { KernelError } from '../error.ts';
import { createBatch, resetBatch } from '../netlink/batch.ts';
import { NETLINK_NETFILTER } from '../netlink/constants.ts';
import { dumpInPieces } from '../netlink/dump.ts';
import { closeNetlinkSocket, openNetlinkSocket } from '../netlink/socket.ts';
import { type BatchOutcome, transact } from '../netlink/transact.ts';
import type { ApplyResult, ConntrackPort, OperationFailure } from '../ports.ts';
import { readFlow } from './decode.ts';
import { putFlowDelete, putFlowDump } from './encode.ts';

/** Opens the port. `networkNamespace` is the path of a namespace, for tests. Throws KernelError. */
export function openConntrack(options: { readonly networkNamespace?: string } = {}): ConntrackPort {
  const socketOptions = { protocol: NETLINK_NETFILTER, ...options };
  const socket = openNetlinkSocket(socketOptions);
  const batch = createBatch();
  return {
    flows: (family) => listFlows(socketOptions, family),
    remove: (flows) => {
      resetBatch(batch);
      for (const flow of flows) putFlowDelete(batch, flow);
      return resultOf(transact(socket, batch), flows.length);
    },
    close: () => closeNetlinkSocket(socket),
  };
}

function resultOf(outcome: BatchOutcome, count: number): ApplyResult {
  const failures: OperationFailure[] = outcome.failures.map(({ index, errno, extendedAck }) => ({
    index,
    error: new KernelError('delete flow', errno, { extendedAck }),
  }));
  if (outcome.state === 'known') return { failures, unknown: false };
  for (let index = outcome.firstUnknown; index < count; index += 1) failures.push({ index, error: outcome.cause });
  return { failures, unknown: true };
}

/** On a socket of its own: a reader that leaves early would leave the other one busy. */
function* listFlows(
  socketOptions: Parameters<typeof openNetlinkSocket>[0],
  family: Family,
): Generator<readonly UdpFlow[], void, undefined> {
  const socket = openNetlinkSocket(socketOptions);
  try {
    const batch = createBatch(64);
    putFlowDump(batch, family);
    yield* dumpInPieces(socket, `list UDP flows over ${family} by nf_conntrack_netlink`, batch, readFlow);
  } finally {
    closeNetlinkSocket(socket);
  }
}
