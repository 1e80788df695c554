import { containerdSteps } from './containerd.ts';
import { corednsStep } from './coredns.ts';
import { clusterProgramSteps } from './kubernetes.ts';
import { debianPackages } from './packages.ts';
import type { Step } from './steps.ts';

/** What runs pods, beyond etcd, the API server and kubectl. */
export const clusterSteps: readonly Step[] = [
  // The kubelet mounts volumes; the portmap plugin and the kubelet want iptables.
  debianPackages('packages of nodes', ['mount', 'iptables', 'kmod']),
  ...containerdSteps,
  ...clusterProgramSteps,
  corednsStep,
];
