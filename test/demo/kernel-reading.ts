import { execa } from 'execa';
import { inside, type NodeName } from './world.ts';

/** What the kernel of a node holds, read with the tools that everybody has. */

export interface VirtualServer {
  /** `TCP 10.96.0.80:80`, `UDP [fd00:96::53]:53`, `FWM 1`. */
  readonly name: string;
  readonly scheduler: string;
  readonly destinations: readonly Destination[];
}

export interface Destination {
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  readonly activeConnections: number;
}

/** The IPVS table by `ipvsadm -Ln`. */
export async function virtualServers(node: NodeName): Promise<readonly VirtualServer[]> {
  const servers: (VirtualServer & { readonly destinations: Destination[] })[] = [];
  for (const text of (await read(node, 'ipvsadm', '-Ln')).split('\n')) {
    const server = /^(TCP|UDP|SCTP|FWM) +(\S+)(?: IPv6)? +([a-z]+)/.exec(text);
    if (server !== null) {
      const [, protocol = '', place = '', scheduler = ''] = server;
      servers.push({ name: `${protocol} ${place}`, scheduler, destinations: [] });
    }
    const destination = /^ +-> +\[?([0-9a-f.:]+?)\]?:(\d+) +\S+ +(\d+) +(\d+)/.exec(text);
    if (destination !== null) {
      const [, address = '', port, weight, active] = destination;
      servers
        .at(-1)
        ?.destinations.push({ address, port: Number(port), weight: Number(weight), activeConnections: Number(active) });
    }
  }
  return servers;
}

const listingCommands: readonly (readonly string[])[] = [
  ['ip', '-details', 'link', 'show'],
  ['ip', 'address', 'show'],
  ['ip', '-4', 'route', 'show', 'table', 'all'],
  ['ip', '-6', 'route', 'show', 'table', 'all'],
  ['ip', '-4', 'rule', 'show'],
  ['ip', '-6', 'rule', 'show'],
  ['nft', '--stateless', 'list', 'ruleset'],
  ['ipvsadm', '-Sn'],
];

/** Everything about a node that sluice could have changed, line by line, each with the command that says it. */
export async function listing(node: NodeName): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const command of listingCommands) {
    const output = await read(node, ...command);
    lines.push(...output.split('\n').map((text) => `${command.join(' ')}: ${text}`));
  }
  return lines;
}

/**
 * How many connections each virtual server and destination has had, by name. They begin at 0 with the virtual server:
 * a count that fell tells of one that was made anew. The kernel brings them up to date every two seconds.
 */
export async function connectionCounts(node: NodeName): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  let server = '';
  for (const text of (await read(node, 'ipvsadm', '-Ln', '--stats', '--exact')).split('\n').slice(3)) {
    const [first = '', name = '', count = ''] = text.trim().split(/ +/);
    if (first !== '->') server = `${first} ${name}`;
    counts.set(first === '->' ? `${server} -> ${name}` : server, Number(count));
  }
  return counts;
}

/** Counts that are lower than before, or gone. */
export function fallenCounts(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): readonly string[] {
  return [...before]
    .filter(([name, count]) => (after.get(name) ?? -1) < count)
    .map(([name, count]) => `${name} had ${count} connections, has ${after.get(name) ?? 'gone'}`);
}

/** Lines of one listing that the other has not, with a sign before each. */
export function difference(before: readonly string[], after: readonly string[]): readonly string[] {
  const missing = before.filter((text) => !after.includes(text)).map((text) => `- ${text}`);
  const added = after.filter((text) => !before.includes(text)).map((text) => `+ ${text}`);
  return [...missing, ...added];
}

async function read(node: NodeName, ...command: readonly string[]): Promise<string> {
  const [file, ...args] = inside(node, ...command);
  const { stdout } = await execa(file, args);
  return stdout;
}
