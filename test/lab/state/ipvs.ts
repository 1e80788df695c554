import { output } from '../execute.ts';
import type { Place } from '../world/places.ts';

/** A virtual server as ipvsadm saves it. */
export interface ObservedVirtualServer {
  /** "TCP 10.96.0.1:80", "SCTP [fd00::1]:80", "FWM 1001 IPv4". */
  readonly service: string;
  readonly scheduler: string;
  readonly schedulerFlags: readonly string[];
  /** 0 without session affinity. */
  readonly persistenceSeconds: number;
  readonly onePacket: boolean;
  /** Sorted by address. */
  readonly destinations: readonly ObservedDestination[];
}

/** A destination as ipvsadm saves it. */
export interface ObservedDestination {
  readonly address: string;
  readonly forwarding: 'masquerade' | 'tunnel' | 'route';
  readonly weight: number;
}

/** What the kernel counts of a destination. */
export interface ObservedCounts {
  readonly service: string;
  readonly address: string;
  readonly activeConnections: number;
  readonly inactiveConnections: number;
  /** All connections since the destination was made. */
  readonly connections: number;
  readonly packetsIn: number;
  readonly packetsOut: number;
}

/** The virtual servers of a node, sorted by service. */
export async function readVirtualServers(at: Place): Promise<readonly ObservedVirtualServer[]> {
  return parseSaved(await output(at.name, ['ipvsadm', '-Sn']));
}

/** The counters of all destinations of a node. */
export async function readCounts(at: Place): Promise<readonly ObservedCounts[]> {
  const [connections, statistics] = await Promise.all([
    output(at.name, ['ipvsadm', '-Ln']),
    output(at.name, ['ipvsadm', '-Ln', '--stats', '--exact']),
  ]);
  const totals = new Map(parseTable(statistics).map((row) => [`${row.service} ${row.address}`, row.numbers]));
  return parseTable(connections).map(({ service, address, numbers }) => {
    const [all = 0, packetsIn = 0, packetsOut = 0] = totals.get(`${service} ${address}`) ?? [];
    const [, activeConnections = 0, inactiveConnections = 0] = numbers;
    return { service, address, activeConnections, inactiveConnections, connections: all, packetsIn, packetsOut };
  });
}

/** Reads the output of `ipvsadm -Sn`. */
export function parseSaved(text: string): readonly ObservedVirtualServer[] {
  const servers = new Map<string, ObservedVirtualServer>();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const words = line.split(' ');
    const service = serviceName(words);
    const present = servers.get(service);
    servers.set(service, present === undefined ? parseServer(service, words) : withDestination(present, words));
  }
  return [...servers.values()].sort((one, other) => (one.service < other.service ? -1 : 1));
}

const protocols: Readonly<Record<string, string>> = { '-t': 'TCP', '-u': 'UDP', '--sctp-service': 'SCTP' };

function serviceName(words: readonly string[]): string {
  const [, option = '', address = ''] = words;
  if (option === '-f') return `FWM ${address} ${words.includes('-6') ? 'IPv6' : 'IPv4'}`;
  const protocol = protocols[option];
  if (protocol === undefined) throw new Error(`ipvsadm wrote an unknown kind of service: ${words.join(' ')}`);
  return `${protocol} ${address}`;
}

function parseServer(service: string, words: readonly string[]): ObservedVirtualServer {
  return {
    service,
    scheduler: optionValue(words, '-s') ?? '',
    schedulerFlags: optionValue(words, '-b')?.split(',') ?? [],
    persistenceSeconds: Number(optionValue(words, '-p') ?? 0),
    onePacket: words.includes('-O') || words.includes('-o'),
    destinations: [],
  };
}

function withDestination(server: ObservedVirtualServer, words: readonly string[]): ObservedVirtualServer {
  const destination: ObservedDestination = {
    address: optionValue(words, '-r') ?? '',
    forwarding: words.includes('-m') ? 'masquerade' : words.includes('-i') ? 'tunnel' : 'route',
    weight: Number(optionValue(words, '-w') ?? 1),
  };
  const destinations = [...server.destinations, destination];
  return { ...server, destinations: destinations.sort((one, other) => (one.address < other.address ? -1 : 1)) };
}

function optionValue(words: readonly string[], option: string): string | undefined {
  const index = words.indexOf(option);
  return index < 0 ? undefined : words[index + 1];
}

interface TableRow {
  readonly service: string;
  readonly address: string;
  readonly numbers: readonly number[];
}

/** Reads the rows of `ipvsadm -Ln`: a line per service, then one per destination that begins with an arrow. */
function parseTable(text: string): readonly TableRow[] {
  const rows: TableRow[] = [];
  let service = '';
  for (const line of text.split('\n')) {
    const words = line.trim().split(/\s+/);
    const [first = '', second = '', ...rest] = words;
    if (/^(TCP|UDP|SCTP)$/.test(first)) service = `${first} ${second}`;
    else if (first === 'FWM') service = `FWM ${second} ${rest[0] === 'IPv6' ? 'IPv6' : 'IPv4'}`;
    else if (first === '->' && /\d$/.test(second)) {
      rows.push({ service, address: second, numbers: rest.map(Number).filter((each) => !Number.isNaN(each)) });
    }
  }
  return rows;
}
