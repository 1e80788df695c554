import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type HostSetting, hostSettings } from '../../src/app/host/host-settings.ts';
import { type Invocation, parseInvocation } from '../../src/cli/arguments.ts';
import { imageName } from '../image/image-name.ts';
import { noFile } from '../support/no-file.ts';

interface Manifest {
  readonly kind: string;
  readonly roleRef?: { readonly name: string };
  readonly spec?: { readonly template: { readonly spec: PodSpec } };
}

interface PodSpec {
  readonly containers: readonly [Container];
  readonly initContainers: readonly [Container];
  readonly securityContext: unknown;
  readonly hostPID?: boolean;
}

interface Container {
  readonly args?: readonly string[];
  readonly image?: string;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly volumeMounts?: readonly unknown[];
  readonly livenessProbe?: unknown;
  readonly readinessProbe?: unknown;
}

const text = await readFile(resolve(import.meta.dirname, '../../daemonset/sluice.yaml'), 'utf8');
const objects = parseAllDocuments(text).map((document) => document.toJS() as Manifest);
const pod = podSpec();
const [agent] = pod.containers;
const [prepare] = pod.initContainers;
const named = (agent.args ?? []).map((argument) => argument.replace('$(NODE_NAME)', 'node-1'));

function podSpec(): PodSpec {
  const spec = objects.find(({ kind }) => kind === 'DaemonSet')?.spec;
  if (spec === undefined) {
    throw new Error('daemonset/sluice.yaml has no DaemonSet');
  }
  return spec.template.spec;
}

function hostSettingsOf(invocation: Invocation, kind: 'run' | 'prepare'): readonly HostSetting[] {
  if (invocation.kind !== kind) {
    throw new Error(`the arguments ask for ${invocation.kind} instead of ${kind}`);
  }
  return hostSettings(invocation.config, invocation.given, 4);
}

describe('daemonset/sluice.yaml', () => {
  it('asks for no more rights in the cluster than kube-proxy', () => {
    expect(objects.map(({ kind }) => kind)).toEqual(['ServiceAccount', 'ClusterRoleBinding', 'DaemonSet']);
    expect(objects[1]?.roleRef?.name).toBe('system:node-proxier');
  });

  it('gives the agent NET_ADMIN and nothing else', () => {
    expect(agent.securityContext).toEqual({
      runAsUser: 0,
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] },
    });
    expect(agent.volumeMounts).toBeUndefined();
    expect(pod.securityContext).toEqual({ seccompProfile: { type: 'RuntimeDefault' } });
    expect(pod.hostPID).toBeUndefined();
  });

  it('runs the agent with flags that it has', () => {
    expect(parseInvocation(named, noFile)).toMatchObject({ kind: 'run', config: { hostnameOverride: 'node-1' } });
  });

  it('sets before the agent, with all privileges, what the agent could not', () => {
    expect(prepare.securityContext).toMatchObject({ privileged: true });
    const preparation = parseInvocation(prepare.args ?? [], noFile);
    const run = parseInvocation(named, noFile);
    expect(hostSettingsOf(preparation, 'prepare')).toEqual(hostSettingsOf(run, 'run'));
  });

  it('asks for the image that npm run image builds, in both', () => {
    expect([agent.image, prepare.image]).toEqual([imageName, imageName]);
  });

  it('is asked for health where the agent tells it', () => {
    expect([agent.livenessProbe, agent.readinessProbe]).toMatchObject([
      { httpGet: { path: '/livez', port: 'healthz' } },
      { httpGet: { path: '/healthz', port: 'healthz' } },
    ]);
  });
});
