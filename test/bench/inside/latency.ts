/**
 * How long a client outside takes to connect through a node with few and with many Services. Both nodes stand at the
 * same time and are asked in turn, so that what else the machine does meets both alike.
 */

import { execa } from 'execa';
import type { LatencyResult, Size } from '../result.ts';
import { summarise } from '../statistics.ts';
import { clientOf, withNeighbours } from './neighbours.ts';
import { inFreshNamespace, namespaceCommand, quiet } from './network-namespace.ts';
import { runStart } from './run-start.ts';
import type { StartInput } from './start.ts';
import { clusterIP, endpointPort, servicePort } from './world.ts';

/** Connections in a row on one node. */
const turn = 100;

export async function measureLatency(sizes: readonly Size[], connections: number): Promise<readonly LatencyResult[]> {
  const samples = sizes.map((): number[] => []);
  await withNodes(sizes, async (nodes) => {
    await quiet();
    // The first turn finds caches empty; it is not counted.
    for (let sent = -turn; sent < connections; sent += turn) {
      for (const [index, size] of sizes.entries()) {
        const took = await connect(nodes[index] ?? '', size);
        if (sent >= 0) {
          samples[index]?.push(...took);
        }
      }
    }
  });
  return sizes.map((size, index) => ({ size, connectMicroseconds: summarise(samples[index] ?? []) }));
}

/** A node for each size, one inside the lifetime of the other. */
async function withNodes(
  sizes: readonly Size[],
  use: (nodes: readonly string[]) => Promise<void>,
  made: readonly string[] = [],
): Promise<void> {
  const [size, ...others] = sizes;
  if (size === undefined) {
    return use(made);
  }
  await inFreshNamespace(async (node) => {
    const input: StartInput = { size, vipMode: 'address' };
    await runStart(node, input, 'latency');
    await withNeighbours(node, server, () => withNodes(others, use, [...made, node]));
  });
}

/** Microseconds for each connection: SYN to the end of connect(2). */
async function connect(node: string, size: Size): Promise<readonly number[]> {
  const stride = Math.max(1, Math.floor(size.services / turn));
  const targets = Array.from({ length: turn }, (_, index) => clusterIP(size.family, (index * stride) % size.services));
  const [file, ...args] = namespaceCommand(clientOf(node), ['python3', '-c', connector, ...targets]);
  const { stdout } = await execa(file, args);
  return stdout.trim().split(' ').map(Number);
}

const server = `
import socket
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("", ${endpointPort}))
listener.listen(1024)
while True:
    listener.accept()[0].close()
`;

/** Closes with a reset, so that no connection is left that waits. */
const connector = `
import socket, struct, sys, time
took = []
for address in sys.argv[1:]:
    opened = socket.socket()
    opened.settimeout(5)
    began = time.perf_counter_ns()
    opened.connect((address, ${servicePort}))
    took.append((time.perf_counter_ns() - began) / 1000)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    opened.close()
print(*took)
`;
