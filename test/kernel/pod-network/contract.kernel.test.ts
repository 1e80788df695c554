import { spawn } from 'node:child_process';
import { execaSync } from 'execa';
import { describe } from 'vitest';
import { openPodNetwork } from '../../../src/kernel/pod-network/open-pod-network.ts';
import { listPod } from '../../support/pod-listing.ts';
import { foreignVip, podAddresses, testPodNetworkContract } from './contract.ts';

let count = 0;

describe("the kernel's network of pods", () => {
  testPodNetworkContract(() => {
    count += 1;
    const name = `pod-network-${process.pid}-${count}`;
    const port = openPodNetwork();
    const ip = (words: string): string => execaSync('ip', ['-n', name, ...words.split(' ')]).stdout;
    const stops: (() => void)[] = [];
    const make = (): void => {
      execaSync('ip', ['netns', 'add', name]);
      ip('link set lo up');
      ip('link add eth0 type dummy');
      ip('link set eth0 up');
      ip(`address add ${podAddresses[0]}/24 dev eth0`);
      ip(`address add ${podAddresses[1]}/64 dev eth0 nodad`);
    };
    make();
    return {
      port,
      path: `/run/netns/${name}`,
      listing: () => listPod(`/run/netns/${name}`),
      makeForeignTunnel: (local = podAddresses[0]) => {
        ip(`link add kube-tunnel-if type ipip local ${local}`);
        ip('link set kube-tunnel-if up');
        ip(`address add ${foreignVip}/32 dev kube-tunnel-if scope link`);
      },
      makeBareTunnel: (local) =>
        ip(
          local.includes(':')
            ? `link add kube-tunnel-v6 type ip6tnl mode ip6ip6 local ${local}`
            : `link add kube-tunnel-if type ipip local ${local}`,
        ),
      setArp: (setting, value) => {
        const key = setting === 'arpIgnore' ? 'arp_ignore' : 'arp_announce';
        execaSync('ip', ['netns', 'exec', name, 'sysctl', '-qw', `net.ipv4.conf.eth0.${key}=${value}`]);
      },
      takeGuePort: () => stops.push(listen(name, 6080)),
      replacePod: () => {
        execaSync('ip', ['netns', 'delete', name]);
        // The number of a namespace that is gone is given to the next one.
        execaSync('ip', ['netns', 'add', `${name}-between`]);
        make();
        execaSync('ip', ['netns', 'delete', `${name}-between`]);
      },
      removePod: () => execaSync('ip', ['netns', 'delete', name]),
      close: () => {
        for (const stop of stops) stop();
        execaSync('ip', ['netns', 'delete', name], { reject: false });
      },
    };
  });
});

/** Takes a UDP port in a namespace; returns once it is taken. */
function listen(name: string, port: number): () => void {
  const program = `require('dgram').createSocket('udp4').bind(${port})`;
  const child = spawn('ip', ['netns', 'exec', name, process.execPath, '-e', program], { stdio: 'ignore' });
  const isTaken = (): boolean => execaSync('ip', ['netns', 'exec', name, 'ss', '-Hlun']).stdout.includes(`:${port}`);
  while (!isTaken());
  return () => child.kill('SIGKILL');
}
