import type { Kubernetes } from '../kubernetes.ts';
import { answeringContainer } from './images.ts';

/** A pod as the API server tells of it. */
export interface ClusterPod {
  readonly name: string;
  readonly node: string;
  readonly addresses: readonly string[];
}

/** A Deployment of pods that answer at `port`, spread over the nodes. Its pods have the label `app`. */
export function answeringDeployment(app: string, replicas: number, port: number): object {
  const matchLabels = { app };
  const spread = { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: app, namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels },
      template: {
        metadata: { labels: matchLabels },
        spec: {
          terminationGracePeriodSeconds: 1,
          topologySpreadConstraints: [{ ...spread, labelSelector: { matchLabels } }],
          containers: [answeringContainer(port)],
        },
      },
    },
  };
}

/** The pods with that label. */
export async function podsOf(
  kubernetes: Kubernetes,
  app: string,
  namespace = 'default',
): Promise<readonly ClusterPod[]> {
  const selector = app.includes('=') ? app : `app=${app}`;
  const columns = '{.metadata.name} {.spec.nodeName} {.status.podIPs[*].ip}';
  const output = `--output=jsonpath={range .items[*]}${columns}{"\\n"}{end}`;
  const text = await kubernetes.kubectl(['get', 'pods', `--namespace=${namespace}`, `--selector=${selector}`, output]);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', node = '', ...addresses] = line.split(' ');
      return { name, node, addresses };
    });
}
