import { describe } from 'vitest';
import { familyOf } from '../../../src/core/address.ts';
import { type FakePodNamespace, fakePodNetwork } from '../../../src/kernel/fake/pod-network.ts';
import { foreignVip, podAddresses, testPodNetworkContract } from './contract.ts';

describe('the network of pods in memory', () => {
  testPodNetworkContract(() => {
    const port = fakePodNetwork();
    const path = '/run/netns/pod';
    const fresh = { addresses: podAddresses };
    let pod: FakePodNamespace = port.addPod(path, fresh);
    const bare = (local: string, vips: readonly string[] = []): void => {
      const kind = familyOf(local) === 'IPv4' ? 'ipip' : 'ip6tnl';
      pod.tunnels.set(familyOf(local), { kind, local, isUp: vips.length > 0, rpFilter: 0, isOurs: false, vips });
    };
    return {
      port,
      path,
      listing: () => JSON.stringify({ ...pod, tunnels: [...pod.tunnels], gue: [...pod.gue] }, undefined, 1),
      makeForeignTunnel: (local = podAddresses[0]) => bare(local, [foreignVip]),
      makeBareTunnel: (local) => bare(local),
      setArp: (setting, value) => {
        pod[setting] = value;
      },
      takeGuePort: () => {
        pod.isGuePortTaken = true;
      },
      replacePod: () => {
        pod = port.addPod(path, fresh);
      },
      removePod: () => port.removePod(path),
      close: () => {},
    };
  });
});
