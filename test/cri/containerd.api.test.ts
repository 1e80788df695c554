import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PodTunnel } from '../../src/core/model/pod-tunnel.ts';
import type { ContainerRuntimePort, PodSandbox } from '../../src/cri/container-runtime.ts';
import { openContainerRuntime } from '../../src/cri/open-container-runtime.ts';
import { openPodNetwork } from '../../src/kernel/pod-network/open-pod-network.ts';
import type { PodNamespace } from '../../src/kernel/ports.ts';
import { type Containerd, startContainerd } from '../lab/containerd.ts';
import { output } from '../lab/execute.ts';
import { listPod } from '../support/pod-listing.ts';

describe('pods of containerd', () => {
  let containerd: Containerd;
  let runtime: ContainerRuntimePort;
  const network = openPodNetwork();

  beforeAll(async () => {
    containerd = await startContainerd();
    runtime = openContainerRuntime(containerd.socket);
  });
  afterAll(async () => {
    runtime.close();
    await containerd.remove();
  });

  async function runPod(name: string): Promise<PodSandbox> {
    const id = await containerd.sandboxes.run({ namespace: 'default', name });
    const [sandbox] = await runtime.findSandboxes(`default/${name}`);
    expect(sandbox?.id).toBe(id);
    return sandbox ?? unexpected();
  }

  function namespaceOf({ networkNamespace: path = '' }: PodSandbox): PodNamespace {
    return { path, identity: network.identify(path) ?? '' };
  }

  it('are found with their addresses and their network namespace, and are gone when they stop', async () => {
    const { id, addresses, networkNamespace = '', isHostNetwork } = await runPod('found');
    expect(isHostNetwork).toBe(false);
    const shown = await output('-', [
      'nsenter',
      `--net=${networkNamespace}`,
      'ip',
      '-o',
      'address',
      'show',
      'dev',
      'eth0',
    ]);
    const own = [...shown.matchAll(/ inet6? (\S+)\/\d+ .*scope global/g)].map(([, address]) => address);
    expect(addresses).toEqual(own);
    expect(addresses).toHaveLength(2);
    await containerd.sandboxes.stop(id);
    expect(await runtime.readSandbox(id)).toBeUndefined();
    expect(network.identify(networkNamespace)).toBeUndefined();
    await containerd.sandboxes.remove(id);
    expect(await runtime.readSandbox(id)).toBeUndefined();
    expect(await runtime.findSandboxes('default/found')).toEqual([]);
  });

  it('with the network of the node say so', async () => {
    const id = await containerd.sandboxes.run({ namespace: 'default', name: 'host', isHostNetwork: true });
    expect(await runtime.readSandbox(id)).toMatchObject({ id, pod: 'default/host', isHostNetwork: true });
    await containerd.sandboxes.stop(id);
    await containerd.sandboxes.remove(id);
  });

  it('answer for VIPs in both families while they are prepared, and are as before when restored', async () => {
    const sandbox = await runPod('prepared');
    const pod = namespaceOf(sandbox);
    const before = listPod(pod.path);
    const [IPv4 = '', IPv6 = ''] = sandbox.addresses;
    const tunnels: readonly PodTunnel[] = [
      { address: IPv4, pod: sandbox.pod, vips: ['198.51.100.7'], encapsulation: 'gue' },
      { address: IPv6, pod: sandbox.pod, vips: ['2001:db8::7'], encapsulation: 'ipip' },
    ];
    const readings = tunnels.map((tunnel) => network.read(pod, tunnel));
    for (const [index, tunnel] of tunnels.entries()) network.ensure(pod, tunnel, readings[index] ?? unexpected());
    const during = listPod(pod.path);
    for (const { vips } of tunnels) for (const vip of vips) expect(during).toContain(vip);
    for (const [index, tunnel] of tunnels.entries()) network.restore(pod, tunnel, readings[index] ?? unexpected());
    expect(listPod(pod.path)).toBe(before);
    await containerd.sandboxes.stop(sandbox.id);
    await containerd.sandboxes.remove(sandbox.id);
  });

  it('are found again by their id when the runtime was away', async () => {
    const sandbox = await runPod('away');
    await containerd.stop();
    await expect(runtime.readSandbox(sandbox.id)).rejects.toMatchObject({ code: 'unavailable' });
    expect(network.identify(sandbox.networkNamespace ?? '')).toBeDefined();
    await containerd.start();
    await expect
      .poll(() => runtime.readSandbox(sandbox.id).catch(() => undefined), { timeout: 60_000 })
      .toEqual(sandbox);
    await containerd.sandboxes.stop(sandbox.id);
    await containerd.sandboxes.remove(sandbox.id);
  });
});

function unexpected(): never {
  throw new Error('expected what the line before made');
}
