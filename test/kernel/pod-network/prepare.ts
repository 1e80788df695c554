import type { PodTunnel } from '../../../src/core/model/pod-tunnel.ts';
import { isKernelError } from '../../../src/kernel/error.ts';
import { openPodNetwork } from '../../../src/kernel/pod-network/open-pod-network.ts';

/** Run apart, with the rights that are in question: prepares the pod at a path for VIPs of both families and restores it. */

const [path = '', IPv4 = '', IPv6 = ''] = process.argv.slice(2);
const tunnels: readonly PodTunnel[] = [
  { address: IPv4, pod: 'default/web', vips: ['198.51.100.7'], encapsulation: 'gue' },
  { address: IPv6, pod: 'default/web', vips: ['2001:db8::7'], encapsulation: 'gue' },
];

try {
  const network = openPodNetwork();
  const pod = { path, identity: network.identify(path) ?? 'none' };
  for (const tunnel of tunnels) {
    const before = network.read(pod, tunnel);
    network.ensure(pod, tunnel, before);
    console.log(network.read(pod, tunnel).tunnel?.vips.join(' '));
    network.restore(pod, tunnel, before);
  }
} catch (error) {
  console.log(isKernelError(error) ? `${error.code}: ${error.message}` : String(error));
}
