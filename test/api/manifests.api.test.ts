/** Every way to install, as a real kube-apiserver takes it. */

import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/manifest/input.ts';
import { components } from '../daemonset/kustomize.ts';
import { type Kubernetes, startKubernetes } from '../lab/kubernetes.ts';
import { manifestCommand, manifestObjects } from '../support/manifest-command.ts';

const folder = fileURLToPath(new URL('../../daemonset', import.meta.url));
const addresses = ['--master=https://192.0.2.20:6443', '--cluster-cidr=10.0.0.0/16,fd00::/48'];

let kubernetes: Kubernetes;

beforeAll(async () => {
  kubernetes = await startKubernetes();
});

afterAll(() => kubernetes.remove());

afterEach(async () => {
  await kubernetes.kubectl(['-n', 'kube-system', 'delete', '--ignore-not-found', 'daemonset,serviceaccount', 'sluice']);
  await kubernetes.kubectl(['delete', '--ignore-not-found', 'clusterrolebinding', 'sluice']);
});

/** What is in the cluster has everything of what `sluice manifest` prints; the API server adds its defaults. */
async function expectInstalled(expected: readonly JsonObject[]): Promise<void> {
  const kinds = ['serviceaccount', 'clusterrolebinding', 'daemonset'];
  const found = await Promise.all(kinds.map((kind) => readBack(kind)));
  expect(found).toMatchObject(expected);
}

async function readBack(kind: string): Promise<object> {
  return JSON.parse(await kubernetes.kubectl(['-n', 'kube-system', 'get', kind, 'sluice', '--output=json'])) as object;
}

async function apply(text: string): Promise<void> {
  await kubernetes.kubectl(['apply', '--server-side', '--validate=strict', '-f', '-'], text);
}

/** A folder with the kustomize files and this kustomization. */
async function withOverlay(kustomization: string, use: (overlay: string) => Promise<void>): Promise<void> {
  const overlay = await mkdtemp(join(tmpdir(), 'overlay-'));
  try {
    await cp(join(folder, 'kustomize'), overlay, { recursive: true });
    await writeFile(join(overlay, 'kustomization.yaml'), kustomization);
    await use(overlay);
  } finally {
    await rm(overlay, { recursive: true });
  }
}

interface Binding {
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string; readonly namespace?: string }[];
}

/** The roles that are bound to the ServiceAccount. */
function rolesOf(bindings: string): readonly string[] {
  const { items } = JSON.parse(bindings) as { readonly items: readonly Binding[] };
  const own = items.filter(({ subjects = [] }) =>
    subjects.some(
      ({ kind, name, namespace }) => `${kind} ${namespace}/${name}` === 'ServiceAccount kube-system/sluice',
    ),
  );
  return own.map(({ roleRef }) => `${roleRef.kind} ${roleRef.name}`);
}

/** The rights of the containers, by name. */
async function rights(): Promise<object> {
  const path = '{range .spec.template.spec.*Containers[*]}{.name}={.securityContext}{"\\n"}{end}';
  const paths = [path.replace('*C', 'initC'), path.replace('*C', 'c')];
  const get = (each: string) =>
    kubernetes.kubectl(['-n', 'kube-system', 'get', 'daemonset', 'sluice', `--output=jsonpath=${each}`]);
  const lines = (await Promise.all(paths.map(get))).flatMap((text) => text.trim().split('\n'));
  const named = lines.map((line) => line.split('=', 2) as [string, string]);
  return Object.fromEntries(named.map(([name, context]) => [name, JSON.parse(context) as object]));
}

const agentRights = {
  runAsUser: 0,
  privileged: false,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] },
} as const;
const preparationRights = { privileged: true, readOnlyRootFilesystem: true } as const;

test('a field that the API server does not know is refused', async () => {
  const { stdout } = await manifestCommand(...addresses);
  await expect(apply(stdout.replace('dnsPolicy:', 'dnsPolice:'))).rejects.toThrow('dnsPolice');
});

describe('plain YAML', () => {
  test('is taken as it is, with NET_ADMIN and the rights of kube-proxy alone', async () => {
    await kubernetes.kubectl(['apply', '--server-side', '--validate=strict', '-f', `${folder}/sluice.yaml`]);
    await expectInstalled(await manifestObjects());
    expect(await rights()).toEqual({ 'prepare-node': preparationRights, sluice: agentRights });
    const bindings = await kubernetes.kubectl(['get', 'clusterrolebinding,rolebinding', '-A', '--output=json']);
    expect(rolesOf(bindings)).toEqual(['ClusterRole system:node-proxier']);
  });

  test('may do what kube-proxy may, and read no Secret, Pod or Endpoints of others', async () => {
    await apply((await manifestCommand(...addresses)).stdout);
    const as = '--as=system:serviceaccount:kube-system:sluice';
    const may = async (verb: string, resource: string) =>
      (await kubernetes.kubectl(['auth', 'can-i', verb, resource, '-A', as]).catch(String)).includes('yes');
    for (const resource of ['services', 'endpointslices.discovery.k8s.io', 'nodes']) {
      expect([resource, await may('watch', resource)]).toEqual([resource, true]);
    }
    expect(await may('create', 'events')).toBe(true);
    for (const resource of ['secrets', 'pods', 'configmaps']) {
      expect([resource, await may('get', resource)]).toEqual([resource, false]);
    }
    expect(await may('update', 'services')).toBe(false);
  });

  test.each([
    [['--namespace=network', '--image=registry.example/net/sluice:1']],
    [['--direct-return', '--runtime-endpoint=/run/crio/crio.sock', '--last-known-state=/var/lib/sluice/state.json']],
    [['--healthz-bind-address=127.0.0.1:10300']],
    [['--healthz-bind-address=']],
  ])('is taken with %j', async (flags) => {
    const { stdout } = await manifestCommand(...addresses, ...flags);
    if (!flags.includes('--namespace=network')) {
      await apply(stdout);
      await expectInstalled(await manifestObjects(...addresses, ...flags));
      return;
    }
    await kubernetes.kubectl(['create', 'namespace', 'network']);
    await apply(stdout);
    const names = await kubernetes.kubectl(['-n', 'network', 'get', 'daemonset,serviceaccount', '--output=name']);
    expect(names).toContain('daemonset.apps/sluice');
    await kubernetes.kubectl(['delete', 'namespace', 'network', '--wait=false']);
  });
});

describe('kustomize', () => {
  test('has plain YAML for its base', async () => {
    await kubernetes.kubectl(['apply', '--server-side', '--validate=strict', '-k', `${folder}/kustomize/base`]);
    await expectInstalled(await manifestObjects());
  });

  test.each(components)('adds with the overlay $name what its flags do', async ({ name, flags }) => {
    const overlay = `${folder}/kustomize/overlays/${name}`;
    await kubernetes.kubectl(['apply', '--server-side', '--validate=strict', '-k', overlay]);
    await expectInstalled(await manifestObjects(...flags));
    const hasMore = name === 'dsr';
    expect(await rights()).toEqual({
      'prepare-node': preparationRights,
      sluice: hasMore
        ? {
            ...agentRights,
            allowPrivilegeEscalation: true,
            capabilities: { drop: ['ALL'], add: ['NET_ADMIN', 'SYS_ADMIN'] },
          }
        : agentRights,
    });
  });

  test('puts all components together, with an image and addresses of its own', async () => {
    await withOverlay(
      [
        'resources: [base]',
        `components: [${components.map(({ name }) => `components/${name}`).join(', ')}]`,
        'images: [{name: localhost/sluice, newName: registry.example/sluice, newTag: "1"}]',
        'patches:',
        '  - target: {kind: DaemonSet, name: sluice}',
        '    patch: |',
        '      - {op: replace, path: /spec/template/spec/containers/0/args/2, value: "--master=https://192.0.2.20:6443"}',
      ].join('\n'),
      async (overlay) => {
        await kubernetes.kubectl(['apply', '--server-side', '--validate=strict', '-k', overlay]);
      },
    );
    const flags = components.flatMap((component) => component.flags);
    const image = '--image=registry.example/sluice:1';
    const expected = await manifestObjects('--master=https://192.0.2.20:6443', image, ...flags);
    await expectInstalled(expected);
  });

  test('has a patch that kubectl takes too', async () => {
    await kubernetes.kubectl(['apply', '--server-side', '-f', `${folder}/sluice.yaml`]);
    const patch = ['--type=json', `--patch-file=${folder}/kustomize/components/dsr/patch.yaml`];
    await kubernetes.kubectl(['-n', 'kube-system', 'patch', 'daemonset', 'sluice', ...patch]);
    await expectInstalled(await manifestObjects('--direct-return'));
  });
});
