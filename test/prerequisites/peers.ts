import { kubeRouterStep } from './kube-router.ts';
import { kubeProxyStep } from './kubernetes.ts';
import { debianPackages } from './packages.ts';
import type { Step } from './steps.ts';

/** The other proxies, and the programs that they start. */
export const peerSteps: readonly Step[] = [
  debianPackages('packages of other proxies', ['iptables', 'ipset', 'kmod']),
  kubeProxyStep,
  kubeRouterStep,
];
