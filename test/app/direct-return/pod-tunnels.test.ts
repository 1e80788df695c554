import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { failure } from '../../../src/app/direct-return/failure.ts';
import type { PodTunnels } from '../../../src/app/direct-return/pod-tunnels.ts';
import { ContainerRuntimeError } from '../../../src/cri/container-runtime.ts';
import { makePlace, wanted, web } from './place.ts';

let place: ReturnType<typeof makePlace>;
let tunnels: PodTunnels;

const webPath = '/run/netns/default-web';
const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const stateOf = (address = '10.1.0.2') => tunnels.states().get(address);
const tunnelIn = (path = webPath) => {
  const identity = place.network.identify(path) ?? '';
  return place.network.read({ path, identity }, web()).tunnel;
};

beforeEach(() => {
  vi.useFakeTimers();
  place = makePlace();
  place.addPod('default/web', '10.1.0.2');
  tunnels = place.start();
});
afterEach(() => {
  tunnels.stop();
  vi.useRealTimers();
});

describe('pods that are wanted', () => {
  it('are preparing, then prepared, and the loop is told each time', async () => {
    tunnels.want(wanted(web()));
    await Promise.resolve();
    expect(stateOf()).toEqual({ kind: 'preparing' });
    await settle();
    expect(stateOf()).toEqual({ kind: 'prepared', vips: ['198.51.100.7'] });
    expect(tunnelIn()).toMatchObject({ isUp: true, vips: ['198.51.100.7'] });
    expect(place.changes).toBe(2);
    expect(place.events).toEqual(['prepared 10.1.0.2 198.51.100.7']);
  });

  it('are left alone by a pass that wants the same', async () => {
    tunnels.want(wanted(web()));
    await settle();
    const calls = place.network.calls.length;
    tunnels.want(wanted(web({ vips: ['198.51.100.7'] })));
    await settle();
    expect([place.network.calls.length, place.changes, place.asked]).toEqual([calls, 2, ['default/web']]);
  });

  it('get a further VIP without the runtime being asked, and are prepared with the old one meanwhile', async () => {
    tunnels.want(wanted(web()));
    await settle();
    tunnels.want(wanted(web({ vips: ['198.51.100.7', '198.51.100.8'] })));
    expect(stateOf()).toEqual({ kind: 'prepared', vips: ['198.51.100.7'] });
    await settle();
    expect(stateOf()).toEqual({ kind: 'prepared', vips: ['198.51.100.7', '198.51.100.8'] });
    tunnels.want(wanted(web({ vips: ['198.51.100.8'] })));
    await settle();
    expect(tunnelIn()?.vips).toEqual(['198.51.100.8']);
    expect(place.asked).toHaveLength(1);
  });

  it('are restored when they are wanted no longer, and only once', async () => {
    tunnels.want(wanted(web()));
    await settle();
    tunnels.want(wanted());
    await settle();
    tunnels.want(wanted());
    await settle();
    expect(tunnelIn()).toBeUndefined();
    expect([tunnels.states().size, place.files.size]).toEqual([0, 0]);
    expect(place.events).toEqual(['prepared 10.1.0.2 198.51.100.7', 'restored 10.1.0.2']);
  });

  it('are restored too when they stop being wanted while they are prepared', async () => {
    tunnels.want(wanted(web()));
    tunnels.want(wanted());
    await settle();
    expect(tunnelIn()).toBeUndefined();
    expect([tunnels.states().size, place.files.size]).toEqual([0, 0]);
  });

  it('come to have GUE later, and lose it in the end', async () => {
    tunnels.want(wanted(web()));
    await settle();
    tunnels.want(wanted(web({ encapsulation: 'gue' })));
    await settle();
    const namespace = { path: webPath, identity: place.network.identify(webPath) ?? '' };
    expect(place.network.read(namespace, web({ encapsulation: 'gue' })).gue).toBe(true);
    tunnels.want(wanted());
    await settle();
    expect(place.network.read(namespace, web({ encapsulation: 'gue' })).gue).toBe(false);
  });

  it('are looked at again after a while, and mended when another program undid it', async () => {
    tunnels.want(wanted(web()));
    await settle();
    const [written] = [...place.files.values()];
    await settle(60_000);
    expect([...place.files.values()]).toEqual([written]);
    place.network.restore({ path: webPath, identity: place.network.identify(webPath) ?? '' }, web(), {
      device: undefined,
      tunnel: undefined,
      gue: undefined,
    });
    await settle(60_000);
    expect(tunnelIn()?.vips).toEqual(['198.51.100.7']);
    expect(place.changes).toBe(2);
  });
});

describe('a pod that cannot be prepared', () => {
  it.each([
    ['has no ready sandbox', () => place.removePod('default/web'), 'pod-sandbox-missing'],
    [
      'is in the host network',
      () => place.addPod('default/web', '10.1.0.2', { isHostNetwork: true, addresses: [] }),
      'direct-return-host-network',
    ],
    [
      'is in the host network, which the runtime does not say',
      () => place.addPod('default/web', '10.1.0.2', { networkNamespace: '/proc/self/ns/net' }),
      'direct-return-host-network',
    ],
    [
      'has another address',
      () => place.addPod('default/web', '10.1.0.2', { addresses: ['10.1.0.9'] }),
      'pod-address-differs',
    ],
    [
      'has no namespace in its status',
      () => place.addPod('default/web', '10.1.0.2', { networkNamespace: undefined }),
      'pod-namespace-missing',
    ],
    ['has a namespace that is not mounted', () => place.network.removePod(webPath), 'pod-namespace-missing'],
    [
      'does not have the address in its namespace',
      () => place.network.addPod(webPath, { addresses: ['10.1.0.9'] }),
      'pod-tunnel-refused',
    ],
  ])('because it %s says so, keeps no other waiting and is tried again', async (_, spoil, reason) => {
    spoil();
    place.addPod('default/other', '10.1.0.3');
    tunnels.want(wanted(web(), web({ address: '10.1.0.3', pod: 'default/other' })));
    await settle();
    expect(stateOf()).toMatchObject({ kind: 'failed', reason });
    expect(stateOf('10.1.0.3')).toMatchObject({ kind: 'prepared' });
    place.addPod('default/web', '10.1.0.2');
    await settle(500);
    expect(stateOf()).toMatchObject({ kind: 'prepared' });
  });

  it('for want of a runtime says which flag to set', async () => {
    place.runtime = failure('container-runtime-unset', 'none', 'a socket; name it with --runtime-endpoint');
    tunnels.want(wanted(web()));
    await settle();
    expect(stateOf()).toMatchObject({
      reason: 'container-runtime-unset',
      expected: expect.stringContaining('--runtime-endpoint'),
    });
  });

  it('because the runtime is away is tried again ever more seldom', async () => {
    const away = {
      ...place.runtime,
      findSandboxes: () => Promise.reject(new ContainerRuntimeError('unavailable', 'nobody there')),
    };
    place.runtime = away;
    tunnels.want(wanted(web()));
    await settle();
    expect(stateOf()).toMatchObject({ reason: 'container-runtime-unavailable', found: 'nobody there' });
    await settle(500 + 1000 + 2000);
    expect(place.events).toEqual(
      [500, 1000, 2000, 4000].map((ms) => `troubled: prepare the network of pod default/web, again in ${ms} ms`),
    );
  });

  it('keeps what stands when the kernel refuses more', async () => {
    tunnels.want(wanted(web()));
    await settle();
    place.network.failNext(({ kind }) => kind === 'ensure', 'ENOBUFS');
    tunnels.want(wanted(web({ vips: ['198.51.100.7', '198.51.100.8'] })));
    await settle();
    expect(stateOf()).toEqual({ kind: 'prepared', vips: ['198.51.100.7'] });
    await settle(500);
    expect(stateOf()).toEqual({ kind: 'prepared', vips: ['198.51.100.7', '198.51.100.8'] });
  });

  it('is restored as far as it came when it is wanted no longer', async () => {
    place.network.failNext(({ kind }) => kind === 'ensure', 'ENOBUFS');
    tunnels.want(wanted(web()));
    await settle();
    expect([stateOf()?.kind, place.files.size]).toEqual(['failed', 1]);
    tunnels.want(wanted());
    await settle();
    expect([tunnels.states().size, place.files.size]).toEqual([0, 0]);
  });

  it('is asked about with no more than three others at a time', async () => {
    let open = (): void => {};
    place.gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const many = Array.from({ length: 20 }, (_, index) =>
      web({ address: `10.1.1.${index}`, pod: `default/web-${index}` }),
    );
    for (const { pod, address } of many) place.addPod(pod, address);
    tunnels.want(wanted(...many));
    await settle();
    expect(place.asked).toEqual([]);
    open();
    await settle();
    expect(place.asked).toHaveLength(20);
    expect([...tunnels.states().values()].filter(({ kind }) => kind === 'prepared')).toHaveLength(20);
  });
});

describe('a restart', () => {
  const restart = async (): Promise<void> => {
    await settle();
    tunnels.stop();
    tunnels = place.start();
  };

  it('finds pods prepared before anything is wanted, and writes nothing', async () => {
    tunnels.want(wanted(web()));
    await restart();
    expect(stateOf()).toEqual({ kind: 'prepared', vips: ['198.51.100.7'] });
    const [written] = [...place.files.values()];
    tunnels.want(wanted(web()));
    await settle();
    expect([...place.files.values()]).toEqual([written]);
    expect(place.asked).toEqual(['default/web']);
  });

  it('restores what is wanted no longer, also with direct return switched off', async () => {
    tunnels.want(wanted(web()));
    await restart();
    place.runtime = failure('container-runtime-unset', 'none', 'one');
    tunnels.want(wanted());
    await settle();
    expect(tunnelIn()).toBeUndefined();
    expect(place.files.size).toBe(0);
  });

  it('forgets a pod that vanished, whoever has its address and its path now', async () => {
    tunnels.want(wanted(web()));
    await restart();
    tunnels.stop();
    place.removePod('default/web');
    place.addPod('default/web', '10.1.0.2');
    tunnels = place.start();
    expect(stateOf()).toEqual({ kind: 'preparing' });
    const untouched = place.network.calls.length;
    tunnels.want(wanted());
    await settle();
    expect(place.network.calls).toHaveLength(untouched);
    expect(place.events.at(-1)).toBe('vanished 10.1.0.2');
    expect(place.files.size).toBe(0);
  });

  it('prepares the pod that took a vanished one’s name and address', async () => {
    tunnels.want(wanted(web()));
    await restart();
    place.removePod('default/web');
    place.addPod('default/web', '10.1.0.2');
    tunnels.want(wanted(web()));
    await settle();
    expect(stateOf()).toEqual({ kind: 'prepared', vips: ['198.51.100.7'] });
    expect(tunnelIn()?.isOurs).toBe(true);
    tunnels.want(wanted());
    await settle();
    expect(tunnelIn()).toBeUndefined();
  });

  it('restores what was written down before a crash, wherever it came', async () => {
    for (const kind of ['read', 'ensure'] as const) {
      place.network.failNext((call) => call.kind === kind, 'EIO');
      tunnels.want(wanted(web()));
      await restart();
      tunnels.want(wanted());
      await settle();
      expect([kind, tunnelIn(), place.files.size]).toEqual([kind, undefined, 0]);
    }
  });

  it('reports a record that cannot be read and goes on', async () => {
    tunnels.stop();
    place.files.set('10.1.0.9', '{"version":1,"tunnel"');
    tunnels = place.start();
    expect(place.events).toEqual(['troubled: read the record of a prepared pod, again in 0 ms']);
    tunnels.want(wanted(web()));
    await settle();
    expect(stateOf()?.kind).toBe('prepared');
  });

  it('takes a device of sluice’s whose record was lost for its own', async () => {
    tunnels.want(wanted(web()));
    await settle();
    place.files.clear();
    tunnels.stop();
    tunnels = place.start();
    tunnels.want(wanted(web()));
    await settle();
    tunnels.want(wanted());
    await settle();
    expect([tunnelIn(), place.files.size]).toEqual([undefined, 0]);
  });
});
