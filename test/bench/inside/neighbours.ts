/** Who a node forwards between: a client outside, and a pod that has the addresses of all endpoints. */

import { execa } from 'execa';
import { namespaceCommand } from './network-namespace.ts';

/** Runs `use` while both are there; the pod runs `server`, a program for Python. */
export async function withNeighbours<Result>(
  node: string,
  server: string,
  use: (client: string) => Promise<Result>,
): Promise<Result> {
  const [client, pod] = [clientOf(node), `${node}-pod`];
  await batch('-', [`netns add ${client}`, `netns add ${pod}`]);
  await batch('-', [
    `link add client netns ${node} type veth peer name eth0 netns ${client}`,
    `link add pod netns ${node} type veth peer name eth0 netns ${pod}`,
  ]);
  await batch(node, [
    ...['client', 'pod'].map((link) => `link set ${link} up`),
    'addr add 192.168.51.1/24 dev client',
    'addr add fd00:51::1/64 dev client nodad',
    'addr add 192.168.52.1/24 dev pod',
    'addr add fd00:52::1/64 dev pod nodad',
    'route add 10.128.0.0/9 via 192.168.52.2',
    'route add fd00:128::/32 via fd00:52::2',
  ]);
  await batch(client, ends(51));
  await batch(pod, [...ends(52), 'route add local 10.128.0.0/9 dev lo', 'route add local fd00:128::/32 dev lo']);
  await forwardIPv6(node);
  const [file, ...args] = namespaceCommand(pod, ['python3', '-c', server]);
  const responder = execa(file, args, { reject: false });
  try {
    return await use(client);
  } finally {
    responder.kill();
    await responder;
    await batch('-', [`netns del ${client}`, `netns del ${pod}`]);
  }
}

export function clientOf(node: string): string {
  return `${node}-client`;
}

function ends(subnet: number): readonly string[] {
  return [
    'link set lo up',
    'link set eth0 up',
    `addr add 192.168.${subnet}.2/24 dev eth0`,
    `addr add fd00:${subnet}::2/64 dev eth0 nodad`,
    `route add default via 192.168.${subnet}.1`,
    `route add default via fd00:${subnet}::1`,
  ];
}

/** Answers pass a node that forwards, which the agent sees to for IPv4 alone, as kube-proxy. */
async function forwardIPv6(node: string): Promise<void> {
  const [file, ...args] = namespaceCommand(node, ['sysctl', '--quiet', 'net.ipv6.conf.all.forwarding=1']);
  await execa(file, args);
}

async function batch(namespace: string, commands: readonly string[]): Promise<void> {
  const place = namespace === '-' ? [] : ['-n', namespace];
  await execa('ip', [...place, '-batch', '-'], { input: `${commands.join('\n')}\n` });
}
