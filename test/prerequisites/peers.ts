import { kubeRouterStep } from './kube-router.ts';
import { kubeProxyStep } from './kubernetes.ts';
import { debianPackages } from './packages.ts';
import type { Step } from './steps.ts';

/** The programs that other proxies start, with which tests make what they leave. */
export const peerPackagesStep: Step = debianPackages('packages of other proxies', ['iptables', 'ipset', 'kmod']);

/** The other proxies, and the programs that they start. */
export const peerSteps: readonly Step[] = [peerPackagesStep, kubeProxyStep, kubeRouterStep];
