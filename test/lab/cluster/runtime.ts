import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cniFolder, containerdFolder } from '../../prerequisites/containerd.ts';
import { pauseImage } from '../containerd/image.ts';
import { execute, output } from '../execute.ts';
import { type Server, startServer } from '../kubernetes/server.ts';
import type { WorldNode } from '../world/places.ts';

/** containerd of one node, in the node's namespace. */
export interface Runtime {
  readonly server: Server;
  /** Its socket, which speaks CRI. */
  readonly socket: string;
  /** Runs ctr in the namespace of Kubernetes. */
  readonly ctr: (...args: readonly string[]) => Promise<string>;
}

/** The command line that runs a server on a node: in its network namespace, under its host name. */
export function onNode(node: WorldNode, command: readonly string[]): readonly string[] {
  const script = `hostname ${node.name} && exec "$@"`;
  return ['nsenter', `--net=/run/netns/${node.name}`, 'unshare', '--uts', 'sh', '-c', script, 'sh', ...command];
}

/** Starts containerd with a root in memory (overlayfs does not stack on the overlay that protects the host). */
export async function startRuntime(node: WorldNode, folder: string, limitMs: number): Promise<Runtime> {
  const socket = join(folder, 'containerd.sock');
  const networks = join(folder, 'networks');
  await mkdir(networks, { recursive: true });
  await writeFile(join(networks, '10-lab.conflist'), JSON.stringify(networkList(node)));
  const file = join(folder, 'containerd.toml');
  await writeFile(file, configuration(folder, socket, networks));
  // The shim is found beside it.
  const env = { PATH: `${containerdFolder()}:${process.env['PATH'] ?? ''}` };
  const server = startServer(onNode(node, [join(containerdFolder(), 'containerd'), '--config', file]), env);
  const ctr = join(containerdFolder(), 'ctr');
  const run = ['--address', socket, '--namespace', 'k8s.io'];
  await server.ready(async () => (await execute('-', [ctr, ...run, 'version'])).status === 0, limitMs);
  return { server, socket, ctr: (...args) => output('-', [ctr, ...run, ...args]) };
}

function configuration(folder: string, socket: string, networks: string): string {
  return `version = 3
root = '${join(folder, 'root')}'
state = '${join(folder, 'state')}'
disabled_plugins = ['io.containerd.nri.v1.nri', 'io.containerd.snapshotter.v1.blockfile', 'io.containerd.snapshotter.v1.erofs']
[grpc]
  address = '${socket}'
[ttrpc]
  address = '${socket}.ttrpc'
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = '${pauseImage}'
[plugins.'io.containerd.cri.v1.runtime']
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ['${cniFolder}']
    conf_dir = '${networks}'
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = 'io.containerd.runc.v2'
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
      SystemdCgroup = false
`;
}

/** Its name is the node's: host-local keeps its leases by that name, in a folder that all nodes share here. */
function networkList(node: WorldNode): object {
  const bridge = {
    type: 'bridge',
    bridge: 'cni0',
    isGateway: true,
    hairpinMode: true,
    ipam: {
      type: 'host-local',
      ranges: [[{ subnet: node.podCIDR.IPv4 }], [{ subnet: node.podCIDR.IPv6 }]],
      routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
    },
  };
  return {
    cniVersion: '1.0.0',
    name: `lab-${node.name}`,
    plugins: [bridge, { type: 'portmap', capabilities: { portMappings: true } }],
  };
}
