/** Who is compared: each with the settings that its own documentation gives for a proxy alone. */

import type { Family } from '../../../../src/core/model/facts.ts';
import { shippedNodeOptions } from '../../../build/node-options.ts';
import { serviceCIDRs } from '../../../lab/kubernetes.ts';
import { type KubeProxyMode, kubeProxyCommand, kubeRouterCommand } from '../../../lab/peers.ts';
import type { ProxyName } from '../../result.ts';
import { shippedAgentCommand } from '../shipped-agent.ts';
import { clusterCIDRs, nodeName } from '../world.ts';
import type { Programs } from './judge.ts';

export interface Contender {
  readonly name: ProxyName;
  readonly programs: Programs;
  /** In a cluster of that family alone. */
  readonly command: (kubeconfig: string, family: Family) => readonly string[];
}

export function contenders(): readonly Contender[] {
  return [
    { name: 'sluice', programs: 'ipvs', command: sluice },
    { name: 'kube-proxy ipvs', programs: 'ipvs', command: kubeProxy('ipvs') },
    { name: 'kube-proxy nftables', programs: 'nftables', command: kubeProxy('nftables') },
    { name: 'kube-router', programs: 'ipvs', command: kubeRouter },
  ];
}

function sluice(kubeconfig: string): readonly string[] {
  return [process.execPath, ...shippedNodeOptions, ...shippedAgentCommand(kubeconfig)];
}

function kubeProxy(mode: KubeProxyMode) {
  return (kubeconfig: string) => kubeProxyCommand({ kubeconfig, nodeName, clusterCIDRs }, mode);
}

function kubeRouter(kubeconfig: string, family: Family): readonly string[] {
  const families = { IPv4: [], IPv6: ['--enable-ipv4=false', '--enable-ipv6=true'] } as const;
  return kubeRouterCommand({ kubeconfig, nodeName, serviceCIDR: serviceCIDRs[family] }, ...families[family]);
}
