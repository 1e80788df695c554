/**
 * A node in a network namespace of its own, with two pods on it, a pod on another node and a client outside, each in
 * theirs. Servers answer with their own name and the address of their client.
 */

import { execa, execaSync } from 'execa';

export interface Addresses {
  readonly client: string;
  readonly node: string;
  readonly pod1: string;
  readonly pod2: string;
  readonly remote: string;
  /** Another address of the node, which the other node's pod has no way back to. */
  readonly second: string;
  readonly podCIDR: string;
  readonly bits: 32 | 128;
}

export const addresses: Readonly<Record<'IPv4' | 'IPv6', Addresses>> = {
  IPv4: {
    client: '203.0.113.2',
    node: '192.0.2.10',
    pod1: '10.1.0.2',
    pod2: '10.1.0.3',
    remote: '10.1.9.2',
    second: '172.30.0.1',
    podCIDR: '10.1.0.0/16',
    bits: 32,
  },
  IPv6: {
    client: '2001:db8:113::2',
    node: '2001:db8:2::10',
    pod1: 'fd00:1::2',
    pod2: 'fd00:1::3',
    remote: 'fd00:1:0:9::2',
    second: 'fd00:172::1',
    podCIDR: 'fd00:1::/48',
    bits: 128,
  },
};

export type Place = 'client' | 'node' | 'pod1' | 'pod2' | 'remote';
const neighbours = ['client', 'pod1', 'pod2', 'remote'] as const;

export interface NodeWorld {
  /** The path of a place's network namespace. */
  readonly namespace: (place: Place) => string;
  /** Runs a program in a place and brings its output back; throws when it fails. */
  readonly run: (place: Place, command: string) => string;
  /** What a client in `place` gets from `http://ENDPOINT/`: `SERVER ADDRESS`, or curl's word for the failure. */
  readonly get: (place: Place, endpoint: string) => string;
  readonly close: () => void;
}

type Server = ReturnType<typeof serve>;

const script = `
const [name, port] = process.argv.slice(1);
require('node:http').createServer((request, response) => {
  const address = request.socket.remoteAddress.replace('::ffff:', '');
  response.setHeader('connection', 'close').end(name + ' ' + address);
}).listen(Number(port), '::', () => console.log('listening'));
`;

/** Makes the world and waits until every server listens: pods on 8080, a process of the node on 9090. */
export async function makeNodeWorld(name: string): Promise<NodeWorld> {
  const namespaces = (place: Place): string => `${name}-${place}`;
  const run = (place: Place, command: string): string =>
    execaSync('ip', ['netns', 'exec', namespaces(place), ...command.split(' ')]).stdout;
  for (const place of ['node', ...neighbours] as const) {
    execaSync('ip', ['netns', 'add', namespaces(place)]);
    run(place, 'ip link set lo up');
  }
  for (const place of neighbours) connect(namespaces, run, place);
  prepareNode(run);
  const servers = [
    ...(['pod1', 'pod2', 'remote'] as const).map((place) => serve(namespaces(place), place, 8080)),
    serve(namespaces('node'), 'node', 9090),
  ];
  await Promise.all(servers.map(listening));
  return {
    namespace: (place) => `/run/netns/${namespaces(place)}`,
    run,
    get: (place, endpoint) => get(namespaces(place), endpoint),
    close: () => {
      for (const server of servers) server.kill();
      for (const place of ['node', ...neighbours] as const) execaSync('ip', ['netns', 'delete', namespaces(place)]);
    },
  };
}

/** A veth pair; the node answers for its own address and routes to the neighbour's. */
function connect(
  namespaces: (place: Place) => string,
  run: NodeWorld['run'],
  place: (typeof neighbours)[number],
): void {
  run('node', `ip link add ${place} type veth peer name eth0 netns ${namespaces(place)}`);
  run('node', `ip link set ${place} up`);
  run(place, 'ip link set eth0 up');
  for (const each of Object.values(addresses)) {
    const own = each[place];
    const isIPv6 = each.bits === 128;
    const nodad = isIPv6 ? ' nodad' : '';
    run('node', `ip address add ${each.node}/${each.bits} dev ${place}${nodad}`);
    run(place, `ip address add ${own}/${each.bits} dev eth0${nodad}`);
    run('node', `ip route add ${own}/${each.bits} dev ${place}`);
    run(place, `ip route add ${each.node}/${each.bits} dev eth0`);
    run(place, `ip ${isIPv6 ? '-6 ' : ''}route add default via ${each.node}`);
    if (place === 'remote') run(place, `ip route add blackhole ${each.second}/${each.bits}`);
  }
}

function prepareNode(run: NodeWorld['run']): void {
  run('node', 'ip link add second type dummy');
  run('node', 'ip link set second up');
  for (const each of Object.values(addresses)) {
    run('node', `ip address add ${each.second}/${each.bits} dev second${each.bits === 128 ? ' nodad' : ''}`);
  }
  const settings = ['ip_forward=1', 'vs.conntrack=1', 'conf.all.rp_filter=0', 'conf.default.rp_filter=0'];
  for (const setting of settings) run('node', `sysctl -qw net.ipv4.${setting}`);
  run('node', 'sysctl -qw net.ipv6.conf.all.forwarding=1');
}

function serve(namespace: string, server: string, port: number) {
  const words = ['netns', 'exec', namespace, process.execPath, '-e', script, server, String(port)];
  return execa('ip', words, { reject: false });
}

async function listening(server: Server): Promise<void> {
  await new Promise((resolve) => {
    server.stdout?.once('data', resolve);
  });
}

function get(namespace: string, endpoint: string): string {
  const curl = ['netns', 'exec', namespace, 'curl', '-sg', '-m', '2', `http://${endpoint}/`];
  const { stdout, exitCode } = execaSync('ip', curl, { reject: false });
  // curl(1): 7 failed to connect, 28 timed out.
  if (exitCode === 0) return stdout;
  return exitCode === 7 ? 'refused' : exitCode === 28 ? 'no answer' : `curl ${exitCode}`;
}
