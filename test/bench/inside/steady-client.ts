/** A client outside that connects, or downloads, until it is told to stop. */

import { once } from 'node:events';
import { execa } from 'execa';
import { inNamespace } from '../../lab/execute.ts';

export interface Connected {
  /** Microseconds of connect(2), of those that succeeded. */
  readonly took: readonly number[];
  readonly failed: number;
}

export interface Downloaded {
  readonly bytes: number;
  readonly seconds: number;
  /** How often the connection ended. */
  readonly failed: number;
}

/** A report of what was done while something else happened, and what that came to. */
export interface Meanwhile<Report, Value> {
  readonly report: Report;
  readonly value: Value;
}

/** Does something until `happening` is over. */
export type SteadyClient<Report> = <Value>(happening: () => Promise<Value>) => Promise<Meanwhile<Report, Value>>;

/** A new connection every 5 ms, to the addresses in turn. */
export function connector(client: string, addresses: readonly string[], port: number): SteadyClient<Connected> {
  return (happening) => runWhile(client, connects, [String(port), ...addresses], happening);
}

/** One connection, as fast as it goes. */
export function downloader(client: string, address: string, port: number): SteadyClient<Downloaded> {
  return (happening) => runWhile(client, download, [String(port), address], happening);
}

async function runWhile<Report, Value>(
  client: string,
  program: string,
  args: readonly string[],
  happening: () => Promise<Value>,
): Promise<Meanwhile<Report, Value>> {
  const [file = '', ...rest] = inNamespace(client, ['python3', '-c', `${untilTold}${program}`, ...args]);
  const running = execa(file, rest, { stdin: 'pipe' });
  await once(running.stdout, 'data');
  const value = await happening();
  running.stdin.end();
  const { stdout } = await running;
  // The last line is the report of a program below.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { report: JSON.parse(stdout.slice(stdout.lastIndexOf('\n') + 1)) as Report, value };
}

const untilTold = `
import json, socket, struct, sys, threading, time
told = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), told.set()), daemon=True).start()
port, addresses = int(sys.argv[1]), sys.argv[2:]
print("ready", flush=True)
`;

/** Closes with a reset, so that no connection is left that waits. */
const connects = `
took, failed, number = [], 0, 0
family = socket.AF_INET6 if ":" in addresses[0] else socket.AF_INET
while not told.is_set():
    opened = socket.socket(family)
    opened.settimeout(5)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    began = time.perf_counter_ns()
    try:
        opened.connect((addresses[number % len(addresses)], port))
        took.append((time.perf_counter_ns() - began) / 1000)
    except OSError:
        failed += 1
    opened.close()
    number += 1
    time.sleep(0.005)
print(json.dumps({"took": took, "failed": failed}))
`;

const download = `
count, failed, began = 0, 0, time.perf_counter()
while not told.is_set():
    try:
        with socket.create_connection((addresses[0], port), timeout=5) as made:
            made.sendall(b"%d\\n" % 10**15)
            while not told.is_set():
                came = len(made.recv(1 << 20))
                if came == 0:
                    raise OSError("the connection ended")
                count += came
    except OSError:
        failed += 1
        time.sleep(0.01)
print(json.dumps({"bytes": count, "seconds": time.perf_counter() - began, "failed": failed}))
`;
