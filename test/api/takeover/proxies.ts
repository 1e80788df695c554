/** sluice and the proxies that it takes over from, as they are started on the node of the suite. */

import { serviceCIDRs } from '../../lab/kubernetes.ts';
import { type KubeProxyMode, kubeProxyCommand, kubeRouterCommand } from '../../lab/peers.ts';
import { clusterCIDRs } from '../../lab/world/places.ts';
import { bundle } from '../../scenarios/agent.ts';

export type Peer = `kube-proxy ${KubeProxyMode}` | 'kube-router';

/** The addresses outside the cluster that Services of the suite have. */
const externalRange = '198.51.100.0/24';
const nodeName = 'node1';
const ranges = [clusterCIDRs.IPv4, clusterCIDRs.IPv6];

export function peerCommand(peer: Peer, kubeconfig: string): readonly string[] {
  switch (peer) {
    case 'kube-router':
      return kubeRouterCommand(
        { kubeconfig, nodeName, serviceCIDR: serviceCIDRs.IPv4 },
        `--service-external-ip-range=${externalRange}`,
        `--loadbalancer-ip-range=${externalRange}`,
        '--masquerade-all',
        '--hairpin-mode',
      );
    case 'kube-proxy ipvs':
      return kubeProxyCommand({ kubeconfig, nodeName, clusterCIDRs: ranges }, 'ipvs');
    case 'kube-proxy iptables':
      return kubeProxyCommand({ kubeconfig, nodeName, clusterCIDRs: ranges }, 'iptables');
    case 'kube-proxy nftables':
      return kubeProxyCommand({ kubeconfig, nodeName, clusterCIDRs: ranges }, 'nftables');
  }
}

/** `sluice WORDS`, with the flags of the agent. */
export function sluiceCommand(kubeconfig: string, ...words: readonly string[]): readonly string[] {
  const flags = [`--kubeconfig=${kubeconfig}`, `--hostname-override=${nodeName}`, `--cluster-cidr=${ranges.join(',')}`];
  return [process.execPath, bundle, ...words, ...flags];
}
