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
    'addr add 192.168.52.1/24 dev pod',
    'route add 10.128.0.0/9 via 192.168.52.2',
  ]);
  await batch(client, [...ends('192.168.51.2/24'), 'route add default via 192.168.51.1']);
  await batch(pod, [
    ...ends('192.168.52.2/24'),
    'route add default via 192.168.52.1',
    'route add local 10.128.0.0/9 dev lo',
  ]);
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

function ends(address: string): readonly string[] {
  return ['link set lo up', 'link set eth0 up', `addr add ${address} dev eth0`];
}

async function batch(namespace: string, commands: readonly string[]): Promise<void> {
  const place = namespace === '-' ? [] : ['-n', namespace];
  await execa('ip', [...place, '-batch', '-'], { input: `${commands.join('\n')}\n` });
}
