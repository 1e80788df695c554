import { afterAll, beforeAll, expect, test } from 'vitest';
import { execute, output } from './execute.ts';
import { type Kubernetes, startKubernetes } from './kubernetes.ts';
import { rootAddresses } from './world/places.ts';
import { createWorld, type World } from './world.ts';

let world: World;
let kubernetes: Kubernetes;

beforeAll(async () => {
  world = await createWorld({ nodes: [{ name: 'node1' }] });
  kubernetes = await startKubernetes({ address: rootAddresses.IPv4 });
});

afterAll(async () => {
  await kubernetes.remove();
  await world.remove();
});

test('the API server gives a dual-stack Service an address of each range', async () => {
  await kubernetes.apply(service('web'));
  const text = await kubernetes.kubectl(['get', 'service', 'web', '--output=json']);
  const { spec } = JSON.parse(text) as { readonly spec: { readonly clusterIPs: readonly string[] } };
  expect(spec.clusterIPs).toEqual([expect.stringMatching(/^10\.96\./), expect.stringMatching(/^fd00:96::/)]);
});

test('a ServiceAccount may from a node’s namespace do what its binding allows, and nothing else', async () => {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'proxy', namespace: 'kube-system' } };
  await kubernetes.apply(account, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'proxy' },
    subjects: [{ kind: 'ServiceAccount', name: 'proxy', namespace: 'kube-system' }],
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node-proxier' },
  });
  const kubeconfig = await kubernetes.serviceAccountKubeconfig('kube-system', 'proxy');
  const token = /"token": "([^"]+)"/.exec(await output('-', ['cat', kubeconfig]))?.[1] ?? '';
  const status = async (path: string) => {
    const url = `https://${rootAddresses.IPv4}:6443${path}`;
    const options = ['--silent', '--insecure', '--output', '/dev/null', '--write-out', '%{http_code}'];
    const { stdout } = await execute('node1', ['curl', ...options, '--header', `Authorization: Bearer ${token}`, url]);
    return stdout;
  };
  expect(await status('/api/v1/services')).toBe('200');
  expect(await status('/api/v1/secrets')).toBe('403');
});

test('what was applied is there after the API server was killed and started again', async () => {
  await kubernetes.apply(service('durable'));
  await kubernetes.stopApiServer('SIGKILL');
  await expect(kubernetes.kubectl(['get', 'service', 'durable'])).rejects.toThrow(/refused/);
  await kubernetes.startApiServer();
  expect(await kubernetes.kubectl(['get', 'service', 'durable', '--output=name'])).toBe('service/durable\n');
});

function service(name: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: { ipFamilyPolicy: 'RequireDualStack', selector: { app: name }, ports: [{ port: 80 }] },
  };
}
