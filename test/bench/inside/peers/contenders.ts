/** Who is compared: each with the settings that its own documentation gives for a proxy alone. */

import { kubeRouterProgram } from '../../../prerequisites/kube-router.ts';
import { kubeProxyProgram } from '../../../prerequisites/kubernetes.ts';
import type { ProxyName } from '../../result.ts';
import { shippedAgentCommand } from '../shipped-agent.ts';
import { clusterCIDRs, nodeName } from '../world.ts';
import type { Programs } from './judge.ts';

export interface Contender {
  readonly name: ProxyName;
  readonly programs: Programs;
  readonly command: (kubeconfig: string) => readonly string[];
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
  return [process.execPath, ...shippedAgentCommand(kubeconfig)];
}

function kubeProxy(mode: 'ipvs' | 'nftables') {
  return (kubeconfig: string): readonly string[] => [
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

function kubeRouter(kubeconfig: string): readonly string[] {
  return [
    kubeRouterProgram(),
    `--kubeconfig=${kubeconfig}`,
    `--hostname-override=${nodeName}`,
    '--run-service-proxy=true',
    '--run-router=false',
    '--run-firewall=false',
    '--run-loadbalancer=false',
    '--service-cluster-ip-range=10.96.0.0/16',
  ];
}
