import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { PodTunnels } from '../../../src/app/direct-return/pod-tunnels.ts';
import type { PodTunnel } from '../../../src/core/model/pod-tunnel.ts';
import { makePlace, wanted, web } from './place.ts';

const one = web();
const two = web({ address: '10.1.0.3', pod: 'default/two' });

let place: ReturnType<typeof makePlace>;
let tunnels: PodTunnels;

beforeEach(() => {
  vi.useFakeTimers();
  place = makePlace();
  for (const { pod, address } of [one, two]) place.addPod(pod, address);
  tunnels = place.start();
});

async function want(...pods: readonly PodTunnel[]): Promise<void> {
  tunnels.want(wanted(...pods));
  await vi.advanceTimersByTimeAsync(0);
}

async function startAgain(): Promise<void> {
  tunnels.stop();
  tunnels = place.start();
  await vi.advanceTimersByTimeAsync(0);
}

/** Both pods are behind it. */
function addBridge(value: number, all: number): void {
  place.reversePath.setLink('cni0', value);
  place.reversePath.all = all;
  for (const { address } of [one, two]) place.reversePath.route(address, 'cni0');
}

describe('the node’s end of a pod’s link', () => {
  it.each([
    { value: 1, all: 0, during: 2 },
    { value: 0, all: 1, during: 2 },
    { value: 0, all: 0, during: 0 },
    { value: 2, all: 1, during: 2 },
    { value: 1, all: 2, during: 1 },
  ])(
    'with rp_filter $value, and $all for all, has $during while the pod is prepared',
    async ({ value, all, during }) => {
      addBridge(value, all);
      await want(one);
      expect(place.reversePath.valueOf('cni0')).toBe(during);
      await want();
      expect(place.reversePath.valueOf('cni0')).toBe(value);
      expect(place.files.size).toBe(0);
    },
  );

  it('is restored with the last pod that shares it, also after a restart', async () => {
    addBridge(0, 1);
    await want(one);
    await startAgain();
    await want(one, two);
    await want(two);
    expect(place.reversePath.valueOf('cni0')).toBe(2);
    await startAgain();
    await want();
    expect(place.reversePath.valueOf('cni0')).toBe(0);
  });

  it('is restored when the pod vanished, too', async () => {
    addBridge(1, 0);
    await want(one);
    place.removePod(one.pod);
    await want();
    expect(place.reversePath.valueOf('cni0')).toBe(1);
    expect(place.events.at(-1)).toBe('vanished 10.1.0.2');
  });

  it('may be gone with its pod', async () => {
    addBridge(1, 0);
    await want(one);
    place.removePod(one.pod);
    place.reversePath.removeLink('cni0');
    await want();
    expect(place.files.size).toBe(0);
  });

  it('is left as another hand set it meanwhile, and loose again if that was strict and the pod is looked at', async () => {
    addBridge(1, 0);
    await want(one);
    place.reversePath.setLink('cni0', 1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(place.reversePath.valueOf('cni0')).toBe(2);
    place.reversePath.setLink('cni0', 0);
    await want();
    expect(place.reversePath.valueOf('cni0')).toBe(0);
  });

  it('is none of IPv6', async () => {
    const six = web({ address: 'fd01::2', pod: 'default/six', vips: ['2001:db8::7'] });
    place.addPod(six.pod, six.address);
    place.reversePath.setLink('cni0', 1);
    place.reversePath.route(six.address, 'cni0');
    await want(six);
    expect(place.reversePath.valueOf('cni0')).toBe(1);
  });

  it('is loose before the pod is said to be prepared', async () => {
    addBridge(1, 0);
    place.network.failNext(({ kind }) => kind === 'ensure', 'EPERM');
    await want(one);
    expect(place.reversePath.valueOf('cni0')).toBe(2);
    expect(tunnels.states().get(one.address)?.kind).toBe('failed');
    await want();
    expect(place.reversePath.valueOf('cni0')).toBe(1);
  });
});
