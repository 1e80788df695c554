import { clusterProgram } from '../../prerequisites/kubernetes.ts';
import type { Kubernetes } from '../kubernetes.ts';

/** Those without which Deployments, DaemonSets and their tokens do not come about: each one costs a start. */
const controllers = [
  'daemonset-controller',
  'deployment-controller',
  'endpointslice-controller',
  'garbage-collector-controller',
  'job-controller',
  'namespace-controller',
  'node-lifecycle-controller',
  'pod-garbage-collector-controller',
  'replicaset-controller',
  'root-ca-certificate-publisher-controller',
  'serviceaccount-controller',
] as const;

/** The command line of kube-controller-manager. */
export function controllerManagerCommand(kubernetes: Kubernetes): readonly string[] {
  return [
    clusterProgram('kube-controller-manager'),
    `--kubeconfig=${kubernetes.adminKubeconfig}`,
    '--leader-elect=false',
    `--service-account-private-key-file=${kubernetes.serviceAccountKey}`,
    // Signed by itself, so it vouches for itself.
    `--root-ca-file=${kubernetes.certificate}`,
    `--controllers=${controllers.join(',')}`,
    '--bind-address=127.0.0.1',
    '--cert-dir=/run/kube-controller-manager',
  ];
}

/** The command line of kube-scheduler. */
export function schedulerCommand(kubernetes: Kubernetes): readonly string[] {
  return [
    clusterProgram('kube-scheduler'),
    `--kubeconfig=${kubernetes.adminKubeconfig}`,
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    '--cert-dir=/run/kube-scheduler',
  ];
}
