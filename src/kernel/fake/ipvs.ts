/**
 * An IPVS table in memory that refuses what the kernel refuses, with the same errno and in the same order of checks
 * (ip_vs_genl_set_cmd and what it calls in net/netfilter/ipvs/ip_vs_ctl.c). For tests and for simulation.
 */

import type { ActualVirtualServer } from '../../core/actual.ts';
import { isSameDestinations, listDestinations } from '../../core/destinations.ts';
import { destinationKey, virtualServerKey } from '../../core/keys.ts';
import type { IpvsOperation } from '../../core/model/operation.ts';
import {
  type Destination,
  type DestinationState,
  type Scheduler,
  schedulers,
  type VirtualServerIdentity,
} from '../../core/model/virtual-server.ts';
import { isSameServer } from '../../core/same-server.ts';
import { errno, KernelError } from '../error.ts';
import { describeIpvsOperation } from '../ipvs/describe.ts';
import { createEncoder, encodeOperation } from '../ipvs/encode.ts';
import type { IpvsTable } from '../ipvs/open-ipvs.ts';
import type { IpvsTimeouts } from '../ipvs/timeouts.ts';
import { createBatch, resetBatch } from '../netlink/batch.ts';
import type { ApplyResult, ExpectedServers, OperationFailure } from '../ports.ts';
import { repliesLost } from './faults.ts';
import { changeTable, type FakeTable, type FakeVirtualServer } from './ipvs-table.ts';

export interface FakeIpvsOptions {
  /** What the kernel has; every scheduler unless given. */
  readonly schedulers?: readonly Scheduler[];
}

/** The fake, with what only tests do to it. */
export interface FakeIpvs extends IpvsTable {
  /** The next operation that `matches` fails with `code` and does nothing. */
  failNext(matches: (operation: IpvsOperation) => boolean, code: keyof typeof errno): void;
  /** The next `apply` does its work and brings back that nothing is known of it. */
  loseNextReplies(): void;
  /** Operations given to `apply` so far, refused ones included. */
  readonly writes: number;
  /** Sets the counts that a dump shows. Throws RangeError when there is no such destination. */
  setConnections(
    identity: VirtualServerIdentity,
    destination: { readonly address: string; readonly port: number },
    counts: Pick<DestinationState, 'activeConnections' | 'inactiveConnections'>,
  ): void;
}

/** Makes an empty table. */
export function fakeIpvs(options: FakeIpvsOptions = {}): FakeIpvs {
  const table: FakeTable = { schedulers: new Set(options.schedulers ?? schedulers), servers: new Map() };
  const kernel: FakeKernel = { table, faults: [], repliesLost: false, writes: 0, closed: false };
  let timeouts: IpvsTimeouts = { tcp: 900, tcpFin: 120, udp: 300 };
  return {
    dump: () => {
      requireOpen(kernel);
      return [...table.servers.values()].map((there) => ({
        server: there.server,
        destinations: newestFirst(there),
      }));
    },
    read: function* (expected) {
      requireOpen(kernel);
      const found = new Map<string, ActualVirtualServer>();
      // Listed at once, and each shown as it is when its turn comes.
      const listed = new Map(table.servers);
      for (const key of listed.keys()) {
        const there = table.servers.get(key);
        if (there !== undefined) found.set(...sharedWith(expected, there));
        yield;
      }
      return found;
    },
    dumpMarks: () => {
      requireOpen(kernel);
      return [...table.servers.values()]
        .map(({ server }) => server.identity)
        .filter((identity) => identity.kind === 'fwmark');
    },
    dumpDestinations: (identity) => {
      requireOpen(kernel);
      const there = table.servers.get(virtualServerKey(identity));
      return there === undefined ? [] : newestFirst(there);
    },
    apply: (operations) => applyAll(kernel, operations),
    readTimeouts: () => timeouts,
    setTimeouts: (wanted) => {
      timeouts = changedTimeouts(timeouts, wanted);
    },
    close: () => {
      kernel.closed = true;
    },
    failNext: (matches, code) => kernel.faults.push({ matches, code }),
    loseNextReplies: () => {
      kernel.repliesLost = true;
    },
    get writes() {
      return kernel.writes;
    },
    setConnections: (identity, destination, counts) => {
      const destinations = table.servers.get(virtualServerKey(identity))?.destinations;
      const key = destinationKey(destination);
      const there = destinations?.get(key);
      if (there === undefined) throw new RangeError(`no destination ${key} of ${virtualServerKey(identity)}`);
      destinations?.set(key, { ...there, ...counts });
    },
  };
}

interface FakeKernel {
  readonly table: FakeTable;
  readonly faults: { readonly matches: (operation: IpvsOperation) => boolean; readonly code: keyof typeof errno }[];
  repliesLost: boolean;
  writes: number;
  closed: boolean;
}

function applyAll(kernel: FakeKernel, operations: readonly IpvsOperation[]): ApplyResult {
  requireOpen(kernel);
  const failures: OperationFailure[] = [];
  const encodable = encoding();
  for (const [index, operation] of operations.entries()) {
    kernel.writes += 1;
    const unsendable = encodable(operation);
    const refused = unsendable === 0 ? refusalOf(kernel, operation) : unsendable;
    if (refused !== 0) failures.push({ index, error: new KernelError(describeIpvsOperation(operation), refused) });
  }
  const unknown = kernel.repliesLost && operations.length > 0;
  kernel.repliesLost &&= !unknown;
  return unknown ? repliesLost(operations) : { failures, unknown };
}

/** What the adapter refuses before the kernel sees it, by its own encoder. */
function encoding(): (operation: IpvsOperation) => number {
  const batch = createBatch(256);
  const encoder = createEncoder(16);
  return (operation) => {
    resetBatch(batch);
    return encodeOperation(batch, encoder, operation);
  };
}

function refusalOf(kernel: FakeKernel, operation: IpvsOperation): number {
  const fault = kernel.faults.findIndex(({ matches }) => matches(operation));
  const [injected] = fault < 0 ? [] : kernel.faults.splice(fault, 1);
  const code = injected === undefined ? changeTable(kernel.table, operation) : injected.code;
  return code === undefined ? 0 : errno[code];
}

function sharedWith(expected: ExpectedServers, there: FakeVirtualServer): readonly [string, ActualVirtualServer] {
  const { server } = there;
  const key = virtualServerKey(server.identity);
  const wanted = expected.virtualServer(key);
  const destinations = listDestinations(newestFirst(there).map(withoutCounts));
  const isSame = wanted !== undefined && isSameDestinations(wanted.destinations, destinations);
  return [key, isSame && isSameServer(wanted.server, server) ? wanted : { server, destinations }];
}

function withoutCounts({ address, port, weight, forwarding }: DestinationState): Destination {
  return { address, port, weight, forwarding };
}

/** The kernel adds at the head of the list. */
function newestFirst(there: FakeVirtualServer): readonly DestinationState[] {
  return [...there.destinations.values()].reverse();
}

function changedTimeouts(before: IpvsTimeouts, wanted: IpvsTimeouts): IpvsTimeouts {
  const longest = 0x7fff_ffff / 100;
  if (Object.values(wanted).some((seconds: number) => seconds < 0 || seconds > longest)) {
    throw new KernelError('set IPVS timeouts', errno.EINVAL);
  }
  const choose = (name: keyof IpvsTimeouts): number => (wanted[name] === 0 ? before[name] : wanted[name]);
  return { tcp: choose('tcp'), tcpFin: choose('tcpFin'), udp: choose('udp') };
}

function requireOpen(kernel: FakeKernel): void {
  if (kernel.closed) throw Object.assign(new Error('the IPVS table is closed'), { code: 'ERR_SOCKET_CLOSED' });
}
