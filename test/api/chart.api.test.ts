/** The Helm chart: what it renders is what `sluice manifest` prints, and a real kube-apiserver takes it. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { JsonObject } from '../../src/core/manifest/input.ts';
import { output } from '../lab/execute.ts';
import { type Kubernetes, startKubernetes } from '../lab/kubernetes.ts';
import { helmProgram } from '../prerequisites/helm.ts';
import { manifestObjects } from '../support/manifest-command.ts';

const chart = fileURLToPath(new URL('../../daemonset/helm/sluice', import.meta.url));

interface DaemonSet {
  readonly metadata: { readonly namespace: string };
  readonly spec: {
    readonly updateStrategy: object;
    readonly template: { readonly metadata: object; readonly spec: Readonly<Record<string, unknown>> };
  };
}

let kubernetes: Kubernetes;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chart-'));
  kubernetes = await startKubernetes();
});

afterAll(async () => {
  await kubernetes.remove();
  await rm(folder, { recursive: true });
});

function helm(...args: readonly string[]): Promise<string> {
  return output('-', [helmProgram(), `--kubeconfig=${kubernetes.adminKubeconfig}`, ...args]);
}

/** A file with these values. */
async function valuesFile(values: object): Promise<string> {
  const file = join(folder, 'values.json');
  await writeFile(file, JSON.stringify(values));
  return file;
}

async function render(values: object, namespace = 'kube-system'): Promise<string> {
  const file = await valuesFile(values);
  return helm('template', 'sluice', chart, `--namespace=${namespace}`, `--values=${file}`);
}

/** In the order in which `sluice manifest` prints them. */
function objectsOf(text: string): readonly JsonObject[] {
  const objects = parseAllDocuments(text).map((document) => document.toJS() as JsonObject);
  const kinds = ['ServiceAccount', 'ClusterRoleBinding', 'DaemonSet'];
  expect(objects).toHaveLength(kinds.length);
  return kinds.map((kind) => objects.find((object) => object['kind'] === kind) ?? {});
}

async function installed(): Promise<DaemonSet> {
  const get = ['-n', 'kube-system', 'get', 'daemonset', 'sluice', '--output=json'];
  return JSON.parse(await kubernetes.kubectl(get)) as DaemonSet;
}

describe('what it renders', () => {
  const digest = `sha256:${'a'.repeat(64)}`;

  test.each<readonly [values: object, flags: readonly string[]]>([
    [{}, []],
    [{ flags: { 'direct-return': true } }, ['--direct-return']],
    [{ flags: { 'direct-return': false } }, ['--direct-return=false']],
    [{ flags: { 'last-known-state': '/var/lib/sluice/s.json' } }, ['--last-known-state=/var/lib/sluice/s.json']],
    [
      {
        flags: {
          'direct-return': true,
          'runtime-endpoint': 'unix:///run/crio/crio.sock',
          'direct-return-records': '/run/other/pods',
          'last-known-state': '/var/lib/sluice/s.json',
        },
      },
      [
        '--direct-return',
        '--runtime-endpoint=/run/crio/crio.sock',
        '--direct-return-records=/run/other/pods',
        '--last-known-state=/var/lib/sluice/s.json',
      ],
    ],
    [{ flags: { 'healthz-bind-address': '' } }, ['--healthz-bind-address=']],
    [{ flags: { 'healthz-bind-address': ':10300' } }, ['--healthz-bind-address=:10300']],
    [{ flags: { 'healthz-bind-address': '127.0.0.1:10300' } }, ['--healthz-bind-address=127.0.0.1:10300']],
    [{ flags: { 'healthz-bind-address': '[::1]:10300' } }, ['--healthz-bind-address=[::1]:10300']],
    [{ flags: { 'healthz-bind-address': '[::]:10300' } }, ['--healthz-bind-address=[::]:10300']],
    [
      // Numbers that floating point would write with an exponent, a list, a switch and flags of the host's settings.
      {
        flags: {
          'cluster-cidr': ['10.0.0.0/16', 'fd00::/48'],
          'conntrack-min': 1_048_576,
          'oom-score-adj': -500,
          'ipvs-strict-arp': true,
          'vip-mode': 'route',
          'fwmark-mask': '0x000000ff',
          'log-level': 'debug',
        },
      },
      [
        '--cluster-cidr=10.0.0.0/16,fd00::/48',
        '--conntrack-min=1048576',
        '--oom-score-adj=-500',
        '--ipvs-strict-arp',
        '--vip-mode=route',
        '--fwmark-mask=0x000000ff',
        '--log-level=debug',
      ],
    ],
    [
      { image: { repository: 'registry.example:5000/net/sluice', tag: '2' } },
      ['--image=registry.example:5000/net/sluice:2'],
    ],
    [{ image: { digest } }, [`--image=localhost/sluice@${digest}`]],
  ])('with %j is what sluice manifest prints', async (values, flags) => {
    expect(objectsOf(await render(values))).toEqual(await manifestObjects(...flags));
  });

  test('stands in the namespace of the release', async () => {
    expect(objectsOf(await render({}, 'network'))).toEqual(await manifestObjects('--namespace=network'));
  });

  test.each([
    [{ flags: { 'vip-mod': 'route' } }, 'vip-mod'],
    [{ flags: { 'hostname-override': 'node-1' } }, 'hostname-override'],
    [{ flags: { 'direct-return': 'yes' } }, 'direct-return'],
    [{ flags: { 'conntrack-min': 'many' } }, 'conntrack-min'],
    [{ image: 'localhost/sluice' }, 'image'],
    [{ replicas: 2 }, 'replicas'],
  ])('is nothing for %j', async (values, word) => {
    await expect(render(values)).rejects.toThrow(word);
  });
});

/** Every value of values.yaml, changed. */
const everyValue = {
  image: { repository: 'registry.example/sluice', tag: '2', digest: '', pullPolicy: 'Always' },
  imagePullSecrets: [{ name: 'registry' }],
  flags: { master: 'https://192.0.2.20:6443', 'cluster-cidr': '10.0.0.0/16', 'direct-return': true },
  updateStrategy: { type: 'OnDelete', rollingUpdate: null },
  resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } },
  nodeSelector: { 'kubernetes.io/os': 'linux', 'example.com/proxy': 'sluice' },
  tolerations: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' }],
  priorityClassName: 'system-cluster-critical',
  terminationGracePeriodSeconds: 20,
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: 'example.com/edge', operator: 'DoesNotExist' }] }],
      },
    },
  },
  podAnnotations: { 'example.com/owner': 'network' },
} as const;

describe('the API server', () => {
  test('takes everything with every value changed', async () => {
    const rendered = await render(everyValue);
    await kubernetes.kubectl(['apply', '--server-side', '--validate=strict', '-f', '-'], rendered);
    const { spec } = await installed();
    const { podAnnotations, imagePullSecrets, nodeSelector, tolerations, affinity } = everyValue;
    expect(spec.updateStrategy).toEqual({ type: 'OnDelete' });
    expect(spec.template.metadata).toMatchObject({ annotations: podAnnotations });
    expect(spec.template.spec).toMatchObject({
      imagePullSecrets,
      nodeSelector,
      tolerations,
      affinity,
      priorityClassName: 'system-cluster-critical',
      terminationGracePeriodSeconds: 20,
      initContainers: [{ image: 'registry.example/sluice:2', imagePullPolicy: 'Always' }],
      containers: [
        {
          image: 'registry.example/sluice:2',
          imagePullPolicy: 'Always',
          resources: everyValue.resources,
          securityContext: { capabilities: { drop: ['ALL'], add: ['NET_ADMIN', 'SYS_ADMIN'] } },
        },
      ],
    });
    await kubernetes.kubectl(['delete', '-f', '-'], rendered);
  });

  test('goes with helm through install, upgrade, rollback and uninstall', async () => {
    const release = ['sluice', '--namespace=kube-system'];
    const image = async () => {
      const [agent] = (await installed()).spec.template.spec['containers'] as [{ readonly image: string }];
      return agent.image;
    };
    const said = await helm('install', ...release, chart);
    expect(said).toContain('WARNING: flags.master is the example of the chart');
    expect(await installed()).toMatchObject((await manifestObjects()).at(-1) ?? {});
    const reached = ['--set=flags.master=https://192.0.2.20:6443', '--set=image.tag=0.1.1'];
    expect(await helm('upgrade', ...release, chart, '--reset-then-reuse-values', ...reached)).not.toContain('WARNING');
    expect(await image()).toBe('localhost/sluice:0.1.1');
    await helm('rollback', ...release);
    expect(await installed()).toMatchObject((await manifestObjects()).at(-1) ?? {});
    await helm('uninstall', ...release, '--cascade=background');
    await expect(installed()).rejects.toThrow('NotFound');
    await expect(kubernetes.kubectl(['get', 'clusterrolebinding', 'sluice'])).rejects.toThrow('NotFound');
  });
});
