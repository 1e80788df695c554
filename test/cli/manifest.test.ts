import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { flags } from '../../src/app/config/flags.ts';
import type { Configuration } from '../../src/app/config/parse-config.ts';
import { hostSettings } from '../../src/app/host/host-settings.ts';
import { parseInvocation } from '../../src/cli/arguments.ts';
import { manifestNotes } from '../../src/core/manifest/notes.ts';
import { manifestCommand, manifestCommandWith } from '../support/manifest-command.ts';
import { noFile } from '../support/no-file.ts';

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly ports?: readonly object[];
  readonly livenessProbe?: { readonly httpGet: object };
  readonly securityContext: { readonly allowPrivilegeEscalation?: boolean; readonly capabilities?: object };
  readonly volumeMounts?: readonly object[];
}

interface PodSpec {
  readonly containers: readonly [Container];
  readonly initContainers: readonly [Container];
  readonly volumes: readonly { readonly name: string; readonly hostPath: object }[];
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly namespace?: string };
  readonly subjects?: readonly { readonly namespace: string }[];
  readonly spec: { readonly template: { readonly spec: PodSpec } };
}

const given = ['--master=https://192.0.2.1:6443', '--cluster-cidr=10.0.0.0/16'];

async function objectsOf(...argv: readonly string[]): Promise<readonly Manifest[]> {
  const { code, stdout, stderr } = await manifestCommand(...argv);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
}

async function podOf(...argv: readonly string[]): Promise<PodSpec> {
  const daemonSet = (await objectsOf(...argv)).find(({ kind }) => kind === 'DaemonSet');
  return present(daemonSet).spec.template.spec;
}

function configurationOf(args: readonly string[], kind: 'run' | 'prepare'): Configuration {
  const named = args.map((argument) => argument.replace('$(NODE_NAME)', 'node-1'));
  const invocation = parseInvocation(named, noFile);
  if (invocation.kind !== kind) throw new Error(`${named.join(' ')}: ${invocation.kind}`);
  return invocation;
}

function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('expected one, found none');
  return value;
}

/** Values that the flags take, by placeholder or by name. */
const samples: Readonly<Record<string, readonly string[]>> = {
  'detect-local-mode': ['ClusterCIDR', 'NodeCIDR'],
  'ipvs-scheduler': ['rr', 'mh'],
  'vip-mode': ['address', 'route'],
  'log-level': ['info', 'debug'],
  'log-format': ['json', 'text'],
  'last-known-state': ['/var/lib/sluice/state.json'],
  'ipvs-min-sync-period': ['0s', '1s'],
  'health-port': ['0', '20244'],
  'conntrack-min': ['0', '1048576'],
  'conntrack-max-per-core': ['0', '65536'],
  'oom-score-adj': ['-1000', '10'],
  'fwmark-mask': ['0x000000ff', '255'],
  'metrics-bind-address': ['', '127.0.0.1:10349'],
  'masquerade-mark': ['0x4000', '32768'],
  '': ['true', 'false'],
  DURATION: ['30s', '1m30s', '1h'],
  'CIDR,…': ['10.0.0.0/8', '10.0.0.0/8,fd00::/48', ''],
  'CIDR,…|primary': ['primary', '', '192.0.2.0/24'],
  ADDRESS: ['', '192.0.2.7'],
  'ADDRESS[:PORT]': ['', '127.0.0.1:10300', '[::1]:10301'],
  URL: ['https://192.0.2.1:6443', 'https://[fd00::1]:6443/api'],
  NAME: ['eth7'],
  PATH: ['/m'],
  SOCKET: ['unix:///run/crio/crio.sock'],
};
const apart = new Set([
  'config',
  'kubeconfig',
  'manifests',
  'hostname-override',
  'host-root',
  'cleanup-config',
  'cleanup-of',
  'init-only',
  'direct-return-records',
  'pod-bridge-interface',
  'pod-interface-name-prefix',
]);
const someFlags = fc.subarray(flags.filter(({ name }) => !apart.has(name))).chain((chosen) =>
  fc.tuple(
    ...chosen.map(({ name, placeholder }) => {
      const values = present(samples[name] ?? samples[placeholder]);
      return fc.constantFrom(...values).map((value) => `--${name}=${value}`);
    }),
  ),
);

describe('sluice manifest', () => {
  it('gives the agent the configuration that run makes of the same flags', async () => {
    await fc.assert(
      fc.asyncProperty(someFlags, async (argv) => {
        const { containers, initContainers } = await podOf(...given, ...argv);
        const asked = configurationOf(['run', '--hostname-override=node-1', ...given, ...argv], 'run');
        const agent = configurationOf(containers[0].args, 'run');
        expect(agent).toEqual(asked);
        const preparation = configurationOf(initContainers[0].args, 'prepare');
        expect(hostSettings(preparation.config, preparation.given, 4)).toEqual(
          hostSettings(asked.config, asked.given, 4),
        );
        expect(preparation.config.directReturn).toBe(asked.config.directReturn);
        expect(preparation.config.ipvsScheduler).toBe(asked.config.ipvsScheduler);
      }),
      { numRuns: 100 },
    );
  });

  it('takes the flags of kube-proxy and kube-router as the flags of sluice that they mean', async () => {
    const { containers } = await podOf(...given, '--service-tcp-timeout=1h', '--ipvs-exclude-cidrs=192.0.2.0/24');
    expect(containers[0].args.slice(4)).toEqual(['--excluded-cidrs=192.0.2.0/24', '--ipvs-tcp-timeout=1h']);
  });

  it('makes flags of a configuration file of kube-proxy', async () => {
    // As kubeadm writes it, with some settings of an administrator.
    const file = `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
bindAddress: 0.0.0.0
clientConnection: {kubeconfig: /var/lib/kube-proxy/kubeconfig.conf, burst: 0, qps: 0}
clusterCIDR: 10.244.0.0/16,fd00:10:244::/56
configSyncPeriod: 0s
conntrack: {maxPerCore: null, min: 65536, tcpEstablishedTimeout: 2h}
healthzBindAddress: ""
ipvs: {scheduler: lc, strictARP: true, syncPeriod: 1m30s}
mode: ipvs
nodePortAddresses: [primary]
`;
    const { code, stdout, stderr } = await manifestCommandWith(
      () => file,
      ['--config=/any', given[0] ?? '', '-o', 'json'],
    );
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^warning: the manifest leaves out --kubeconfig=\/var\/lib\/kube-proxy\/kubeconfig\.conf: expected the ServiceAccount of the manifest/m,
    );
    const { items } = JSON.parse(stdout) as { readonly items: readonly Manifest[] };
    const [agent] = present(items[2]).spec.template.spec.containers;
    const words = ['run', '--hostname-override=node-1', given[0] ?? ''];
    const asked = parseInvocation([...words, '--config=/any'], () => file);
    if (asked.kind !== 'run') throw new Error(asked.kind);
    const { config } = configurationOf(agent.args, 'run');
    expect(config).toEqual({ ...asked.config, configFile: undefined, kubeconfig: undefined });
    expect(config).toMatchObject({ ipvsScheduler: 'lc', ipvsStrictARP: true, conntrackMin: 65_536 });
  });

  it('says which values are examples, and marks them', async () => {
    const { stdout, stderr } = await manifestCommand();
    expect(stdout.match(/# EDIT: .*\n\s*- .*/g)?.map((text) => text.split('- ').at(-1))).toEqual([
      '--master=https://192.0.2.10:6443',
      '--cluster-cidr=10.244.0.0/16',
    ]);
    expect(stderr.split('\n').slice(0, -1)).toEqual([
      expect.stringMatching(/^warning: --master=\S+ is an example; give the API server by an address that/),
      expect.stringMatching(/^warning: --cluster-cidr=\S+ is an example; give where pods have their addresses/),
    ]);
    expect((await manifestCommand(...given)).stdout).not.toContain('EDIT');
    expect((await manifestCommand(given[0] ?? '', '--detect-local-mode=NodeCIDR')).stdout).not.toContain('EDIT');
  });

  it('tells all that is wrong at once', async () => {
    const bad = ['--vip-mode=x', '--image=A b', '--namespace=Kube', '--cleanup', '--no-such', '-o', 'x'];
    const { code, stdout, stderr } = await manifestCommand(...bad, 'word', '--hostname-override=n', '--host-root=/h');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    const told = stderr
      .trim()
      .split('\n')
      .map((line) => line.slice(0, line.indexOf(':')));
    expect(new Set(told)).toEqual(
      new Set([
        'sluice',
        '--no-such',
        '--hostname-override',
        '--host-root',
        '--cleanup-config',
        '--image',
        '--namespace',
        '--vip-mode',
        '--output',
      ]),
    );
    expect(told).toHaveLength(9);
  });

  it.each(['state.json', '/state.json'])('refuses to mount the folder of %s', async (path) => {
    const { code, stderr } = await manifestCommand(...given, `--last-known-state=${path}`);
    expect(code).toBe(2);
    expect(stderr).toContain(`--last-known-state: expected an absolute path, in a folder of its own, given "${path}"`);
  });

  it('puts image and namespace wherever they belong', async () => {
    const image = `registry.example:5000/net/sluice:1@sha256:${'0'.repeat(64)}`;
    const objects = await objectsOf(...given, `--image=${image}`, '--namespace', 'network');
    expect(objects.map(({ metadata }) => metadata.namespace)).toEqual(['network', undefined, 'network']);
    expect(objects[1]?.subjects?.map(({ namespace }) => namespace)).toEqual(['network']);
    const { containers, initContainers } = present(objects[2]).spec.template.spec;
    expect([...containers, ...initContainers].map((container) => container.image)).toEqual([image, image]);
  });

  it('adds with --direct-return what entering pods takes', async () => {
    const { containers, volumes } = await podOf(...given, '--direct-return');
    expect(containers[0].securityContext).toMatchObject({
      privileged: false,
      allowPrivilegeEscalation: true,
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN', 'SYS_ADMIN'] },
    });
    const inherited = { readOnly: true, mountPropagation: 'HostToContainer' };
    expect(containers[0].volumeMounts).toEqual([
      { name: 'container-runtime', mountPath: '/run/containerd', ...inherited },
      { name: 'pod-networks', mountPath: '/run/netns', ...inherited },
      { name: 'pod-records', mountPath: '/run/sluice' },
    ]);
    expect(volumes.slice(1)).toEqual([
      { name: 'container-runtime', hostPath: { path: '/run/containerd', type: 'Directory' } },
      { name: 'pod-networks', hostPath: { path: '/run/netns', type: 'DirectoryOrCreate' } },
      { name: 'pod-records', hostPath: { path: '/run/sluice', type: 'DirectoryOrCreate' } },
    ]);
  });

  it('mounts what the flags name', async () => {
    const paths = ['--runtime-endpoint=unix:///run/crio/crio.sock', '--direct-return-records=/run/other/pods'];
    const { volumes } = await podOf(...given, '--direct-return', ...paths, '--last-known-state=/var/lib/s/x.json');
    expect(volumes.map(({ name, hostPath }) => [name, hostPath])).toEqual([
      ['modules', { path: '/lib/modules', type: 'DirectoryOrCreate' }],
      ['container-runtime', { path: '/run/crio', type: 'Directory' }],
      ['pod-networks', { path: '/run/netns', type: 'DirectoryOrCreate' }],
      ['pod-records', { path: '/run/other', type: 'DirectoryOrCreate' }],
      ['last-known-state', { path: '/var/lib/s', type: 'DirectoryOrCreate' }],
    ]);
  });

  it.each([
    ['127.0.0.1:10300', 10_300, { path: '/livez', port: 'healthz', host: '127.0.0.1' }],
    ['[::]:10301', 10_301, { path: '/livez', port: 'healthz' }],
    [':10302', 10_302, { path: '/livez', port: 'healthz' }],
  ])('has health asked for where the agent tells it: %s', async (address, port, httpGet) => {
    const [agent] = (await podOf(...given, `--healthz-bind-address=${address}`)).containers;
    expect(agent.ports).toMatchObject([{ containerPort: port, hostPort: port }]);
    expect(agent.livenessProbe?.httpGet).toEqual(httpGet);
  });

  it('asks for no health where none is told', async () => {
    const [agent] = (await podOf(...given, '--healthz-bind-address=')).containers;
    expect(Object.keys(agent).filter((key) => key.endsWith('Probe') || key === 'ports')).toEqual([]);
  });

  it('prints the same objects as JSON', async () => {
    const { stdout } = await manifestCommand(...given, '--direct-return', '-o', 'json');
    const list = JSON.parse(stdout) as { readonly kind: string; readonly items: readonly Manifest[] };
    expect(list.kind).toBe('List');
    expect(list.items).toEqual(await objectsOf(...given, '--direct-return'));
  });

  it('has a place for each of its notes', async () => {
    const { stdout } = await manifestCommand('--direct-return');
    const words = stdout.replaceAll(/\n\s*# ?/g, ' ');
    const lost = manifestNotes([]).filter(({ path, text }) => path.length > 0 && !words.includes(text));
    expect(lost).toEqual([]);
  });
});
