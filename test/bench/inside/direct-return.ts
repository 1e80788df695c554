/**
 * What direct server return takes off a node: a client outside, the node that it comes to, and an endpoint behind another
 * node with its own way to the client. The same endpoint stands behind two Services, one of which asks for it.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { DirectReturnPlan } from '../plan.ts';
import type { DirectReturnResult, DirectReturnSample } from '../result.ts';
import { median, summarise } from '../statistics.ts';
import { byteServer } from './byte-server.ts';
import { programPath } from './child.ts';
import { namespaceCommand, quiet } from './network-namespace.ts';

const vips = { direct: '198.51.100.1', masqueraded: '198.51.100.2' } as const;
const port = 8080;
const [director, other, client, pod] = ['dr-director', 'dr-other', 'dr-client', 'dr-pod'] as const;
/** Connections in a row to one of the two. */
const turn = 100;

/** Undefined when nothing is to be measured. */
export async function measureDirectReturn(plan: DirectReturnPlan): Promise<DirectReturnResult | undefined> {
  if (plan.megabytes === 0) {
    return undefined;
  }
  process.stderr.write(`direct-return ${JSON.stringify(plan)}\n`);
  await makePlaces();
  const server = execa(...inside(pod, ['python3', '-c', byteServer(port)]), { reject: false });
  const agent = execa(...inside(director, await agentCommand()), { reject: false, stdout: 'ignore' });
  try {
    await answers();
    await quiet();
    const direct = await measure('direct', plan);
    const masqueraded = await measure('masqueraded', plan);
    const connects = await measureConnects(plan.connections);
    return {
      megabytes: plan.megabytes,
      direct: { ...direct, connectMicroseconds: connects.direct },
      masqueraded: { ...masqueraded, connectMicroseconds: connects.masqueraded },
    };
  } finally {
    agent.kill();
    server.kill();
    await Promise.all([agent, server]);
    await ip('-', [...[director, other, client, pod].map((name) => `netns del ${name}`), 'link del dr-link']);
  }
}

async function measure(
  kind: keyof typeof vips,
  { megabytes, rounds }: DirectReturnPlan,
): Promise<Omit<DirectReturnSample, 'connectMicroseconds'>> {
  const shares: number[] = [];
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const before = await sentBytes();
    const began = performance.now();
    await execa(...inside(client, ['python3', '-c', download, vips[kind], String(megabytes * 1e6)]));
    times.push(performance.now() - began);
    shares.push(((await sentBytes()) - before) / (megabytes * 1e6));
  }
  return { shareThroughDirector: median(shares), downloadMs: summarise(times) };
}

/** In turns, so that what else the machine does meets both alike; the first turn finds caches empty. */
async function measureConnects(connections: number) {
  const took: Record<keyof typeof vips, number[]> = { direct: [], masqueraded: [] };
  for (let sent = -turn; sent < connections; sent += turn) {
    for (const kind of ['direct', 'masqueraded'] as const) {
      const { stdout } = await execa(...inside(client, ['python3', '-c', connects, vips[kind]]));
      took[kind].push(...(sent < 0 ? [] : stdout.trim().split(' ').map(Number)));
    }
  }
  return { direct: summarise(took.direct), masqueraded: summarise(took.masqueraded) };
}

/** Out of the only interface of the node that packets of others pass. */
async function sentBytes(): Promise<number> {
  const { stdout } = await execa(...inside(director, ['cat', '/proc/net/dev']));
  const [, numbers = ''] = /eth0:(.*)/.exec(stdout) ?? [];
  return Number(numbers.trim().split(/\s+/)[8]);
}

async function answers(): Promise<void> {
  for (const vip of Object.values(vips)) {
    const deadline = performance.now() + 30_000;
    while ((await execa(...inside(client, ['python3', '-c', download, vip, '1']), { reject: false })).failed) {
      if (performance.now() > deadline) throw new Error(`expected an answer of ${vip} within 30 s, found none`);
      await sleep(100);
    }
  }
}

async function makePlaces(): Promise<void> {
  const places = [director, other, client] as const;
  await ip('-', [
    ...[...places, pod].map((name) => `netns add ${name}`),
    'link add dr-link type bridge',
    'link set dr-link up',
    ...places.map((name, index) => `link add dr-${index} master dr-link up type veth peer name eth0 netns ${name}`),
    `link add pod netns ${other} type veth peer name eth0 netns ${pod}`,
  ]);
  const own = (name: string, ...commands: readonly string[]) =>
    ip(name, ['link set lo up', 'link set eth0 up', ...commands]);
  await own(
    director,
    'addr add 192.168.60.1/24 dev eth0',
    'route add 10.200.0.0/24 via 192.168.60.2',
    'route add default via 192.168.60.9',
  );
  await own(other, 'addr add 192.168.60.2/24 dev eth0', 'link set pod up', 'addr add 10.200.0.1/24 dev pod');
  await own(client, 'addr add 192.168.60.3/24 dev eth0', 'route add 198.51.100.0/24 via 192.168.60.1');
  await own(
    pod,
    'addr add 10.200.0.2/24 dev eth0',
    'route add default via 10.200.0.1',
    'link add tunnel type ipip local 10.200.0.2',
    'link set tunnel up',
    `addr add ${vips.direct}/32 dev tunnel scope link`,
  );
  const loose = ['all', 'eth0', 'tunnel'].map((name) => `echo 0 > /proc/sys/net/ipv4/conf/${name}/rp_filter`);
  await execa(...inside(pod, ['sh', '-ec', loose.join('\n')]));
  for (const name of [director, other]) {
    await execa(
      ...inside(name, [
        'sh',
        '-ec',
        'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 0 > /proc/sys/net/ipv4/conf/all/send_redirects; echo 0 > /proc/sys/net/ipv4/conf/eth0/send_redirects',
      ]),
    );
  }
}

/** The agent as it is shipped. */
async function agentCommand(): Promise<readonly string[]> {
  const folder = '/tmp/direct-return-manifests';
  await mkdir(folder, { recursive: true });
  const objects = [
    {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: director },
      status: { addresses: [{ type: 'InternalIP', address: '192.168.60.1' }] },
    },
    ...(['direct', 'masqueraded'] as const).flatMap((kind, index) => serviceOf(kind, `10.96.1.${index + 1}`)),
  ];
  await writeFile(`${folder}/objects.json`, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  const flags = [
    `--manifests=${folder}`,
    `--hostname-override=${director}`,
    '--direct-return',
    '--cluster-cidr=10.200.0.0/16',
  ];
  return [process.execPath, programPath('sluice'), 'run', ...flags];
}

function serviceOf(kind: keyof typeof vips, clusterIP: string): readonly unknown[] {
  const metadata = { name: kind, namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z' };
  const annotations = kind === 'direct' ? { 'sluice.dev/dsr': 'tunnel' } : {};
  const labels = { 'kubernetes.io/service-name': kind };
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...metadata, annotations },
      spec: {
        type: 'ClusterIP',
        clusterIP,
        clusterIPs: [clusterIP],
        externalIPs: [vips[kind]],
        ports: [{ protocol: 'TCP', port }],
      },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels },
      addressType: 'IPv4',
      ports: [{ name: '', protocol: 'TCP', port }],
      endpoints: [
        { addresses: ['10.200.0.2'], nodeName: other, conditions: { ready: true, serving: true, terminating: false } },
      ],
    },
  ];
}

function inside(name: string, command: readonly string[]): [string, string[]] {
  const [file, ...args] = namespaceCommand(name, [...command]);
  return [file, args];
}

async function ip(name: string, commands: readonly string[]): Promise<void> {
  await execa('ip', [...(name === '-' ? [] : ['-n', name]), '-batch', '-'], { input: `${commands.join('\n')}\n` });
}

const download = `
import socket, sys
size = int(float(sys.argv[2]))
with socket.create_connection((sys.argv[1], ${port}), timeout=10) as made:
    made.sendall(b"%d\\n" % size)
    while size > 0:
        came = len(made.recv(1 << 20))
        if came == 0:
            sys.exit("the connection ended early")
        size -= came
`;

/** Microseconds of connect(2); closes with a reset, so that no connection is left that waits. */
const connects = `
import socket, struct, sys, time
took = []
for _ in range(${turn}):
    opened = socket.socket()
    opened.settimeout(5)
    began = time.perf_counter_ns()
    opened.connect((sys.argv[1], ${port}))
    took.append((time.perf_counter_ns() - began) / 1000)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    opened.close()
print(*took)
`;
