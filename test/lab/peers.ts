/** The command lines of the other service proxies, as they run on a node of the lab. */

import { kubeRouterProgram } from '../prerequisites/kube-router.ts';
import { kubeProxyProgram } from '../prerequisites/kubernetes.ts';

export type KubeProxyMode = 'ipvs' | 'iptables' | 'nftables';

/** What each proxy must know of its node. */
export interface PeerInput {
  readonly kubeconfig: string;
  readonly nodeName: string;
}

export function kubeProxyCommand(
  { kubeconfig, nodeName, clusterCIDRs }: PeerInput & { readonly clusterCIDRs: readonly string[] },
  mode: KubeProxyMode,
): readonly string[] {
  return [
    kubeProxyProgram(),
    `--kubeconfig=${kubeconfig}`,
    `--hostname-override=${nodeName}`,
    `--proxy-mode=${mode}`,
    `--cluster-cidr=${clusterCIDRs.join(',')}`,
    '--healthz-bind-address=127.0.0.1:10256',
    '--metrics-bind-address=127.0.0.1:10249',
    // The size of the table of connections is the host's, which a namespace may not set.
    '--conntrack-max-per-core=0',
  ];
}

/** As a service proxy alone. */
export function kubeRouterCommand(
  { kubeconfig, nodeName, serviceCIDR }: PeerInput & { readonly serviceCIDR: string },
  ...more: readonly string[]
): readonly string[] {
  return [
    kubeRouterProgram(),
    `--kubeconfig=${kubeconfig}`,
    `--hostname-override=${nodeName}`,
    '--run-service-proxy=true',
    '--run-router=false',
    '--run-firewall=false',
    '--run-loadbalancer=false',
    `--service-cluster-ip-range=${serviceCIDR}`,
    ...more,
  ];
}
