import type { SourceFailureCode } from '../../kube/source.ts';

/** What a person can do about an API server that has not answered yet; undefined: it passes by itself. */
export function sourceRemedy(code: SourceFailureCode): string | undefined {
  switch (code) {
    case 'unreachable':
    case 'silent':
      return 'See that --master or the kubeconfig names an address of the API server that works without a service proxy, not its ClusterIP, and that this node may connect to it';
    case 'credentials-unusable':
      return 'Give --kubeconfig, run it in a pod with a ServiceAccount, or give --manifests in place of an API server';
    case 'unauthorized':
    case 'forbidden':
      return 'See that the credentials are of this cluster, and that their owner is bound to the role system:node-proxier';
    case 'manifest-unreadable':
      return 'See that the folder of --manifests is there and may be read';
    case 'connection-lost':
    case 'throttled':
    case 'expired':
    case 'unsupported':
    case 'missing':
    case 'refused':
    case 'line-too-long':
    case 'line-malformed':
    case 'ended-early':
      return undefined;
  }
}
