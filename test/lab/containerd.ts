import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { cniFolder, containerdFolder } from '../prerequisites/containerd.ts';
import { pauseImage, writePauseImage } from './containerd/image.ts';
import { openPodSandboxes, type PodSandboxes } from './containerd/pod-sandboxes.ts';
import { execute, output } from './execute.ts';
import { type Server, startServer } from './kubernetes/server.ts';

/** A containerd with runc and CNI in the root namespace of the lab. */
export interface Containerd {
  readonly socket: string;
  readonly sandboxes: PodSandboxes;
  /** Ends containerd; the pods go on. */
  readonly stop: () => Promise<void>;
  /** Starts it again with the same data and waits until it answers. */
  readonly start: () => Promise<void>;
  /** Ends everything and removes the files. */
  readonly remove: () => Promise<void>;
}

/** Where pods have their addresses. */
export const podRanges = { IPv4: '10.1.0.0/24', IPv6: 'fd01::/64' } as const;

const startLimitMs = 120_000;

/** Starts it and waits until sandboxes can be made. */
export async function startContainerd(): Promise<Containerd> {
  const folder = await mkdtemp(join(tmpdir(), 'containerd-'));
  // An overlay, which it makes containers of, cannot lie on the overlay that the lab is.
  await output('-', ['mount', '-t', 'tmpfs', 'tmpfs', folder]);
  await writeConfiguration(folder);
  const socket = join(folder, 'containerd.sock');
  const programs = containerdFolder();
  const ctr = (...words: readonly string[]): readonly string[] => [join(programs, 'ctr'), '-a', socket, ...words];
  let server: Server | undefined;
  const start = async (): Promise<void> => {
    const path = [programs, process.env['PATH']].join(delimiter);
    server = startServer([join(programs, 'containerd'), '--config', join(folder, 'config.toml')], { PATH: path });
    const isReady = async (): Promise<boolean> => (await execute('-', ctr('version'))).status === 0;
    await server.ready(isReady, startLimitMs);
  };
  const stop = async (): Promise<void> => server?.end('SIGTERM');
  const remove = async (): Promise<void> => {
    await stop();
    await execute('-', ['umount', '--lazy', folder]);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await start();
    await output('-', ctr('-n', 'k8s.io', 'images', 'import', await writePauseImage(folder)));
  } catch (error) {
    await remove();
    throw error;
  }
  const sandboxes = openPodSandboxes(socket);
  return {
    socket,
    sandboxes,
    stop,
    start,
    remove: async () => {
      sandboxes.close();
      await remove();
    },
  };
}

async function writeConfiguration(folder: string): Promise<void> {
  const networks = join(folder, 'net.d');
  await mkdir(networks);
  const ranges = Object.values(podRanges).map((subnet) => [{ subnet }]);
  const routes = [{ dst: '0.0.0.0/0' }, { dst: '::/0' }];
  const ipam = { type: 'host-local', dataDir: join(folder, 'leases'), ranges, routes };
  const network = { cniVersion: '1.0.0', name: 'lab', plugins: [{ type: 'ptp', ipMasq: false, ipam }] };
  await writeFile(join(networks, '10-lab.conflist'), JSON.stringify(network));
  await writeFile(
    join(folder, 'config.toml'),
    `version = 3
root = "${join(folder, 'root')}"
state = "${join(folder, 'state')}"
[grpc]
  address = "${join(folder, 'containerd.sock')}"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "${pauseImage}"
[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["${cniFolder}"]
  conf_dir = "${networks}"
`,
  );
}
