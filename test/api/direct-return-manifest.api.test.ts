/** The patch of the manifest for direct server return, taken by a real kube-apiserver. */

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseInvocation } from '../../src/cli/arguments.ts';
import { type Kubernetes, startKubernetes } from '../lab/kubernetes.ts';
import { noFile } from '../support/no-file.ts';

const folder = fileURLToPath(new URL('../../daemonset', import.meta.url));

interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly securityContext: object;
  readonly volumeMounts?: readonly { readonly mountPath: string; readonly mountPropagation?: string }[];
}

interface PodSpec {
  readonly hostPID?: boolean;
  readonly containers: readonly [Container];
  readonly initContainers: readonly Container[];
  readonly volumes: readonly { readonly name: string; readonly hostPath: { readonly path: string } }[];
}

let kubernetes: Kubernetes;

beforeAll(async () => {
  kubernetes = await startKubernetes();
  await kubernetes.kubectl(['apply', '--server-side', '-f', `${folder}/sluice.yaml`]);
});

afterAll(() => kubernetes.remove());

test('it adds what entering pods takes, and nothing else', async () => {
  const before = await daemonSet();
  const patch = ['--type=json', `--patch-file=${folder}/direct-server-return.yaml`];
  await kubernetes.kubectl(['-n', 'kube-system', 'patch', 'daemonset', 'sluice', ...patch]);
  const after = await daemonSet();
  const [agent] = after.containers;
  expect(agent.securityContext).toEqual({
    runAsUser: 0,
    privileged: false,
    allowPrivilegeEscalation: true,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'], add: ['NET_ADMIN', 'SYS_ADMIN'] },
  });
  expect(after.hostPID).toBeUndefined();
  expect(agent.volumeMounts?.map(({ mountPath, mountPropagation }) => [mountPath, mountPropagation])).toEqual([
    ['/run/containerd', 'HostToContainer'],
    ['/run/netns', 'HostToContainer'],
    ['/run/sluice', undefined],
  ]);
  const added = after.volumes.filter(({ name }) => !before.volumes.some((volume) => volume.name === name));
  expect(added.map(({ hostPath }) => hostPath.path)).toEqual(['/run/containerd', '/run/netns', '/run/sluice']);
  expect(after.initContainers.map(({ name, args }) => [name, args])).toEqual(
    before.initContainers.map(({ name, args }) => [name, [...args, '--direct-return']]),
  );
  const named = agent.args.map((argument) => argument.replace('$(NODE_NAME)', 'node-1'));
  expect(parseInvocation(named, noFile)).toMatchObject({
    kind: 'run',
    config: { directReturn: true, podRecords: expect.stringMatching(/^\/run\/sluice\//) },
  });
});

async function daemonSet(): Promise<PodSpec> {
  const text = await kubernetes.kubectl(['-n', 'kube-system', 'get', 'daemonset', 'sluice', '--output=json']);
  const { spec } = JSON.parse(text) as { readonly spec: { readonly template: { readonly spec: PodSpec } } };
  return spec.template.spec;
}
