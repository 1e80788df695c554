/** The image in a container: what it may do with the capabilities that the manifest gives it, and says without them. */

import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { shippedNodeOptions } from '../build/node-options.ts';
import { execute, output } from '../lab/execute.ts';
import { createWorld, type World } from '../lab/world.ts';
import { endpointSlice, makeManifestFolder, nodeObject, service } from '../scenarios/manifests.ts';
import { type ContainerInput, containerCommand, type UnpackedImage, unpackImage } from './container.ts';

let world: World;
let image: UnpackedImage;
let manifests: string;

beforeAll(async () => {
  world = await createWorld({ nodes: [{ name: 'node1' }] });
  image = await unpackImage();
  const folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'container-manifests-')));
  const ports = [{ name: '', protocol: 'TCP', port: 80 }] as const;
  await folder.write('objects.json', [
    nodeObject('node1', ['192.0.2.10']),
    service({ name: 'web', clusterIPs: ['10.96.0.1'], ports }),
    endpointSlice({ service: 'web', family: 'IPv4', ports, endpoints: [{ address: '10.1.0.2' }] }),
  ]);
  await chmod(folder.path, 0o755);
  manifests = folder.path;
});

afterAll(async () => {
  await world.remove();
});

describe('the image', () => {
  // First: a container leaves in its root where it had something mounted.
  it('has nothing in it to start but what it needs', async () => {
    const found = await output('-', ['find', image.root, '-type', 'f', '-perm', '/111', '-printf', '%P\n']);
    const started = found.split('\n').filter((path) => path !== '' && !/\.(so(\.\d+)*|node)$/.test(path));
    expect(started.toSorted()).toEqual([
      'usr/bin/kmod',
      'usr/bin/node',
      'usr/lib/sluice/sluice.mjs',
      'usr/sbin/nft',
      'usr/sbin/xtables-legacy-multi',
      'usr/sbin/xtables-nft-multi',
    ]);
  });

  it('starts the program with its options, and by its name', async () => {
    expect(image.entrypoint).toEqual(['/usr/bin/node', ...shippedNodeOptions, '/usr/lib/sluice/sluice.mjs']);
    const named = { ...agent(), image: { ...image, entrypoint: ['/usr/bin/sluice'] }, args: ['version'] };
    expect(await run(named)).toMatchObject({ status: 0, stderr: '' });
  });

  it('prepares the node with all privileges', async () => {
    const { status, stdout } = await run({
      ...agent(),
      args: ['run', '--init-only'],
      isPrivileged: true,
      capabilities: all,
    });
    expect(stdout).toContain('this node is prepared');
    expect(status).toBe(0);
  });

  it('programs a Service with NET_ADMIN alone and a root that is read-only, and stops at once', async () => {
    const { log, table } = await program(agent());
    expect(table).toContain('10.1.0.2:80');
    expect(log).not.toContain('"level":"error"');
  });

  it('needs no root where the capability is ambient', async () => {
    const { table } = await program({ ...agent(), user: 65_532, ambient: ['CAP_NET_ADMIN'] });
    expect(table).toContain('10.1.0.2:80');
  });

  it('says which capability is missing and how to give it', async () => {
    const { status, stderr } = await run({ ...agent(), capabilities: [] });
    expect(status).toBe(1);
    expect(stderr).toContain('expected the capability NET_ADMIN, found the effective capabilities 0x0000000000000000');
    expect(stderr).toMatch(/securityContext\.capabilities\.add/);
  });

  it('says where it asked for an API server that is not there, and what to look at', async () => {
    const args = ['run', '--master=https://127.0.0.1:6443', '--hostname-override=node1'];
    const container = world.start(world.node('node1'), await containerCommand({ ...agent(), args }));
    await vi.waitFor(() => expect(container.output()).toContain('connect ECONNREFUSED 127.0.0.1:6443'), {
      timeout: 60_000,
      interval: 100,
    });
    expect(container.output()).toContain('See that --master or the kubeconfig names an address of the API server');
    await container.end();
  });

  it.each(['nft', 'legacy'] as const)(
    'removes what kube-proxy left by iptables-%s, and nothing of others',
    async (kind) => {
      const restored = await output('node1', [`iptables-${kind}-restore`, '--noflush'], kubeProxyRules);
      expect(restored).toBe('');
      // The lock that every program of iptables-legacy takes.
      const lock = join(await mkdtemp(join(tmpdir(), 'container-lock-')), 'xtables.lock');
      await writeFile(lock, '');
      const { status, stdout } = await run({
        ...agent(),
        args: ['--cleanup-config', '--cleanup-of=kube-proxy'],
        capabilities: ['CAP_NET_ADMIN', 'CAP_NET_RAW'],
        writable: { '/run/xtables.lock': lock },
      });
      expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.not.stringContaining('failed') });
      expect(stdout).toContain('IPv4 nat chain KUBE-SERVICES');
      const left = await output('node1', [`iptables-${kind}-save`, '-t', 'nat']);
      expect(left).not.toContain('KUBE-');
      expect(left).toContain('-A POSTROUTING -s 10.0.0.0/8 -j MASQUERADE');
      await output('node1', [`iptables-${kind}`, '-t', 'nat', '-F']);
    },
  );
});

const kubeProxyRules = `*nat
:KUBE-SERVICES - [0:0]
:KUBE-POSTROUTING - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A POSTROUTING -s 10.0.0.0/8 -j MASQUERADE
-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -m statistic --mode random --probability 0.5 -j RETURN
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MASQUERADE --random-fully
COMMIT
`;

const all = ['CAP_NET_ADMIN', 'CAP_SYS_MODULE', 'CAP_SYS_ADMIN', 'CAP_SYS_RESOURCE', 'CAP_DAC_OVERRIDE'];

/** As in the manifest. */
function agent(): ContainerInput {
  return {
    node: 'node1',
    image,
    args: ['run', '--manifests=/manifests', '--hostname-override=node1', '--cluster-cidr=10.1.0.0/16,fd10:1::/64'],
    capabilities: ['CAP_NET_ADMIN'],
    mounts: { '/manifests': manifests },
  };
}

async function run(input: ContainerInput) {
  return execute('-', await containerCommand(input));
}

/** Runs it until it is in step, ends it, and takes away what it programmed. */
async function program(input: ContainerInput): Promise<{ readonly log: string; readonly table: string }> {
  const container = world.start(world.node('node1'), await containerCommand(input));
  await vi.waitFor(() => expect(container.output()).toContain('"synced"'), { timeout: 60_000, interval: 100 });
  await container.end();
  const table = await output('node1', ['ipvsadm', '-Ln']);
  expect(await run({ ...input, args: ['cleanup'] })).toMatchObject({ status: 0, stderr: '' });
  expect(await output('node1', ['ipvsadm', '-Ln'])).not.toContain('10.96.0.1');
  return { log: container.output(), table };
}
