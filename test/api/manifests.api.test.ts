/** Every way to install, as a real kube-apiserver takes it, each in the place of the one before. */

import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

interface DaemonSet {
  readonly spec: {
    readonly template: { readonly spec: Readonly<Record<'initContainers' | 'containers', Containers>> };
  };
}

type Containers = readonly { readonly name: string; readonly securityContext: object }[];

/** What is in the cluster has everything of what `sluice manifest` prints; the API server adds its defaults. */
async function expectInstalled(expected: readonly JsonObject[]): Promise<void> {
  expect(await installed()).toMatchObject(expected);
}

async function installed(): Promise<readonly object[]> {
  const kinds = 'serviceaccount,clusterrolebinding,daemonset';
  const list = await kubernetes.kubectl(['-n', 'kube-system', 'get', kinds, 'sluice', '--output=json']);
  return (JSON.parse(list) as { readonly items: readonly object[] }).items;
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
  const { initContainers, containers } = ((await installed()).at(-1) as DaemonSet).spec.template.spec;
  return Object.fromEntries([...initContainers, ...containers].map((each) => [each.name, each.securityContext]));
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

  test('puts components together, with an image and addresses of its own', async () => {
    // Of these two only one is meant to be taken.
    const chosen = components.filter(({ name }) => name !== 'audit-addresses');
    await withOverlay(
      [
        'resources: [base]',
        `components: [${chosen.map(({ name }) => `components/${name}`).join(', ')}]`,
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
    const flags = chosen.flatMap((component) => component.flags);
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
