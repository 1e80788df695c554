import { openPodRecords } from '../../../src/app/direct-return/pod-records.ts';
import { createPodTunnels } from '../../../src/app/direct-return/pod-tunnels.ts';
import type { PodTunnel } from '../../../src/core/model/pod-tunnel.ts';
import { openContainerRuntime } from '../../../src/cri/open-container-runtime.ts';
import { openPodNetwork } from '../../../src/kernel/pod-network/open-pod-network.ts';
import { openReversePath } from '../../../src/kernel/reverse-path/open-reverse-path.ts';

/** Run apart, to be killed: prepares and restores pods over and over. Arguments: socket, folder of records, addresses. */

const [socket = '', folder = '', ...addresses] = process.argv.slice(2);
const runtime = openContainerRuntime(socket);
const vips = ['198.51.100.7', '198.51.100.8', '198.51.100.9'];
let round = 0;

const tunnels = createPodTunnels({
  network: openPodNetwork(),
  reversePath: openReversePath(),
  records: openPodRecords(folder),
  runtime: () => Promise.resolve(runtime),
  hostRoot: '',
  auditPeriodMs: 60_000,
  onChange: () => {},
  observer: {
    prepared: () => console.log('prepared'),
    restored: () => console.log('restored'),
    troubled: (what, error) => console.log(`${what}: ${String(error)}`),
  },
});

/** More VIPs, fewer, none: each round is another one. */
function next(): void {
  round += 1;
  const tunnel = (address: string): PodTunnel => ({
    address,
    pod: `default/pod-${address.split('.').at(-1) ?? ''}`,
    vips: vips.slice(0, 1 + (round % 3)),
    encapsulation: round % 2 === 0 ? 'gue' : 'ipip',
  });
  tunnels.want(round % 4 === 0 ? new Map() : new Map(addresses.map((address) => [address, tunnel(address)])));
}

next();
setInterval(next, 40);
