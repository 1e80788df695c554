import { afterAll, beforeAll, expect, test } from 'vitest';
import { answeringDeployment, podsOf } from './cluster/deployment.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { isAnswer } from './traffic/result.ts';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ nodes: ['node1', 'node2'] }, console.log);
});

afterAll(() => cluster.remove());

test('a Deployment’s pods run on both nodes and answer the other one, in both families', async () => {
  await cluster.kubernetes.apply(answeringDeployment('web', 2, 8080));
  await cluster.rolledOut('deployment/web');
  const pods = await podsOf(cluster.kubernetes, 'web');
  expect(pods.map((each) => each.node).sort()).toEqual(['node1', 'node2']);
  for (const pod of pods) {
    const from = pod.node === 'node1' ? 'node2' : 'node1';
    expect(pod.addresses).toHaveLength(2);
    for (const address of pod.addresses) {
      for (const protocol of ['TCP', 'UDP'] as const) {
        const result = await cluster.world.traffic.request(from, { protocol, address, port: 8080 });
        expect(isAnswer(result) ? result.answeredBy : `${address} ${protocol}: ${result}`).toBe(pod.name);
      }
    }
  }
});

test('a command runs inside a container of a pod, through the API server', async () => {
  const [pod] = await podsOf(cluster.kubernetes, 'web');
  const said = await cluster.kubernetes.kubectl(['exec', pod?.name ?? '', '--', 'busybox', 'hostname']);
  expect(said.trim()).toBe(pod?.name);
});
