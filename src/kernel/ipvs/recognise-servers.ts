/** Which of the listed IPv4 virtual servers are as they should be, destinations and all. */

import type { Steps } from '../../core/steps.ts';
import { findServer, hasDestinationsAt, isServerAt, type ServerIndex } from './expected-servers.ts';
import { type IpvsSockopt, readDestinationsOfEach } from './sockopt.ts';
import { destinationsLength, layDestinationsRequestOf, servicePosition } from './sockopt-layout.ts';

/** What became of the list. */
export interface Recognised {
  /** Positions in the index of those that are as expected. */
  readonly same: readonly number[];
  /** Positions in the list of all others. */
  readonly others: readonly number[];
}

/** Requests for several virtual servers, one after another in the buffer of the socket. */
interface Requests {
  readonly lengths: Uint32Array;
  /** For each its position in the list, and in the index. */
  readonly listed: Uint32Array;
  readonly expected: Uint32Array;
  count: number;
  /** Where the next one begins. */
  end: number;
}

/** More than fit into the buffer. */
const mostRequests = 1024;

/**
 * Compares the first `count` entries of the list, and the destinations of those that may be as expected, which it asks
 * the kernel for, one buffer full of requests in each step. What was removed since it was listed is in neither part. The
 * list must stay as it is between the steps; the buffer need not. Throws `KernelError`.
 */
export function* recogniseServers(sockopt: IpvsSockopt, wanted: ServerIndex, count: number): Steps<Recognised> {
  const same: number[] = [];
  const others: number[] = [];
  const requests = noRequests();
  for (let index = 0; index < count; index += 1) {
    const position = findCandidate(sockopt, wanted, index);
    const size = wanted.servers[position]?.destinations.length ?? -1;
    const length = destinationsLength(size + 1);
    if (size < 0 || length > sockopt.buffer.bytes.length) {
      others.push(index);
    } else if (size === 0) {
      same.push(position);
    } else {
      if (!hasRoom(sockopt, requests, length)) {
        compare(sockopt, wanted, requests, { same, others });
        yield;
      }
      add(sockopt, requests, { index, position, length, room: size + 1 });
    }
  }
  compare(sockopt, wanted, requests, { same, others });
  return { same, others };
}

function noRequests(): Requests {
  const words = (): Uint32Array => new Uint32Array(mostRequests);
  return { lengths: words(), listed: words(), expected: words(), count: 0, end: 0 };
}

/** -1 when the entry is not expected, or has other settings or another number of destinations. */
function findCandidate({ list }: IpvsSockopt, wanted: ServerIndex, index: number): number {
  const at = servicePosition(index);
  const position = findServer(wanted, list, at);
  const server = wanted.servers[position];
  return server !== undefined && isServerAt(list, at, server) ? position : -1;
}

function hasRoom({ buffer }: IpvsSockopt, requests: Requests, length: number): boolean {
  return requests.count < mostRequests && requests.end + length <= buffer.bytes.length;
}

function add(
  sockopt: IpvsSockopt,
  requests: Requests,
  each: { readonly index: number; readonly position: number; readonly length: number; readonly room: number },
): void {
  const { buffer, list } = sockopt;
  const { count, end } = requests;
  // A place that the kernel does not write shows by its zeros.
  buffer.bytes.fill(0, end, end + each.length);
  layDestinationsRequestOf(buffer, end, { list, index: each.index, room: each.room });
  requests.lengths[count] = each.length;
  requests.listed[count] = each.index;
  requests.expected[count] = each.position;
  requests.count = count + 1;
  requests.end = end + each.length;
}

/** Makes the requests, looks at what they bring, and has none any more. */
function compare(
  sockopt: IpvsSockopt,
  wanted: ServerIndex,
  requests: Requests,
  { same, others }: { readonly same: number[]; readonly others: number[] },
): void {
  const { lengths, listed, expected, count } = requests;
  const gone = new Set(readDestinationsOfEach(sockopt, lengths, count));
  let start = 0;
  for (let index = 0; index < count; index += 1) {
    const position = expected[index] ?? -1;
    const destinations = wanted.servers[position]?.destinations;
    if (destinations !== undefined && hasDestinationsAt(sockopt.buffer, start, destinations)) same.push(position);
    else if (!gone.has(index)) others.push(listed[index] ?? -1);
    start += lengths[index] ?? 0;
  }
  requests.count = 0;
  requests.end = 0;
}
