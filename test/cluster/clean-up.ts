import { imageName } from '../image/image-name.ts';
import type { Cluster } from '../lab/cluster.ts';

/** Runs `sluice cleanup` from the image as a one-shot pod on a node, and waits until it has succeeded. */
export async function cleanUp(cluster: Cluster, node: string): Promise<void> {
  const name = `cleanup-${node}`;
  const { kubectl } = cluster.kubernetes;
  await cluster.kubernetes.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'kube-system' },
    spec: {
      nodeName: node,
      hostNetwork: true,
      restartPolicy: 'Never',
      containers: [
        {
          name: 'sluice',
          image: imageName,
          imagePullPolicy: 'Never',
          args: ['cleanup'],
          securityContext: { runAsUser: 0, capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } },
        },
      ],
    },
  });
  const where = [name, '--namespace=kube-system'];
  await cluster.waitUntil(`sluice cleanup on ${node} ended`, async () =>
    ['Succeeded', 'Failed'].includes(await kubectl(['get', 'pod', ...where, '--output=jsonpath={.status.phase}'])),
  );
  const phase = await kubectl(['get', 'pod', ...where, '--output=jsonpath={.status.phase}']);
  const said = await kubectl(['logs', ...where]);
  if (phase !== 'Succeeded')
    throw new Error(`sluice cleanup on ${node}: expected to succeed, found ${phase}:\n${said}`);
  await kubectl(['delete', 'pod', ...where]);
}
