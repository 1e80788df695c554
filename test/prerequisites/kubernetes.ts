import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Artefact, artefactFolder } from './cache.ts';
import { type GoModule, goBuild, goStep, stagingModules, writeWrapperModule } from './go.ts';
import type { Step } from './steps.ts';
import { UnmetPrerequisiteError } from './unmet.ts';

const etcd: GoModule = { path: 'go.etcd.io/etcd/server/v3', version: 'v3.6.8' };
const kubernetes: GoModule = { path: 'k8s.io/kubernetes', version: 'v1.36.3' };
/** The staging modules of Kubernetes v1.36.3 are published as v0.36.3. */
const stagingVersion = 'v0.36.3';

const binaries = ['etcd', 'kube-apiserver', 'kubectl'] as const;

/** etcd, kube-apiserver and kubectl: `KUBEBUILDER_ASSETS` names them, else they are built from the Go module proxy. */
export const kubernetesSteps: readonly Step[] = [
  givenStep('etcd', etcdArtefact),
  givenStep('kube-apiserver', (report) => kubernetesArtefact('kube-apiserver', report)),
  givenStep('kubectl', (report) => kubernetesArtefact('kubectl', report)),
];

/** Where each of the binaries lies. Throws when `KUBEBUILDER_ASSETS` names a folder that lacks one. */
export function kubernetesBinaries(): Readonly<Record<(typeof binaries)[number], string>> {
  const folder = process.env['KUBEBUILDER_ASSETS'];
  if (folder === undefined) {
    return {
      etcd: join(artefactFolder(etcdArtefact(() => {})), 'etcd'),
      'kube-apiserver': join(artefactFolder(kubernetesArtefact('kube-apiserver', () => {})), 'kube-apiserver'),
      kubectl: join(artefactFolder(kubernetesArtefact('kubectl', () => {})), 'kubectl'),
    };
  }
  const missing = binaries.filter((each) => !existsSync(join(folder, each)));
  if (missing.length > 0) {
    throw new UnmetPrerequisiteError({
      expected: `${binaries.join(', ')} in KUBEBUILDER_ASSETS (${folder})`,
      found: `no ${missing.join(', no ')}`,
      next: 'Complete the folder, or unset KUBEBUILDER_ASSETS to have them built.',
    });
  }
  return {
    etcd: join(folder, 'etcd'),
    'kube-apiserver': join(folder, 'kube-apiserver'),
    kubectl: join(folder, 'kubectl'),
  };
}

/** kube-proxy of the same version, which KUBEBUILDER_ASSETS never holds. */
export const kubeProxyStep: Step = goStep('kube-proxy', (report) => kubernetesArtefact('kube-proxy', report));

/** The path of the program that `kubeProxyStep` made. */
export function kubeProxyProgram(): string {
  return join(artefactFolder(kubernetesArtefact('kube-proxy', () => {})), 'kube-proxy');
}

/** What runs a cluster beside the API server, which KUBEBUILDER_ASSETS never holds. */
export const clusterPrograms = ['kube-controller-manager', 'kube-scheduler', 'kubelet'] as const;

/** One after the other: what they share is compiled once, for the first. */
export const clusterProgramSteps: readonly Step[] = clusterPrograms.map((name) =>
  goStep(name, (report) => kubernetesArtefact(name, report)),
);

/** The path of a program that `clusterProgramSteps` made. */
export function clusterProgram(name: (typeof clusterPrograms)[number]): string {
  return join(artefactFolder(kubernetesArtefact(name, () => {})), name);
}

function givenStep(title: string, artefact: (report: (line: string) => void) => Artefact): Step {
  const step = goStep(title, artefact);
  return { ...step, isReady: async () => process.env['KUBEBUILDER_ASSETS'] !== undefined || step.isReady() };
}

function etcdArtefact(report: (line: string) => void): Artefact {
  return {
    name: 'etcd',
    inputs: [etcd.path, etcd.version],
    make: async (folder, scratch) => {
      await writeWrapperModule(scratch, etcd, []);
      await goBuild({ package: etcd.path, output: join(folder, 'etcd'), scratch, variables: {} }, report);
    },
  };
}

function kubernetesArtefact(
  command: 'kube-apiserver' | 'kubectl' | 'kube-proxy' | (typeof clusterPrograms)[number],
  report: (line: string) => void,
): Artefact {
  return {
    name: command,
    inputs: [kubernetes.path, kubernetes.version],
    make: async (folder, scratch) => {
      // k8s.io/kubernetes requires its staging modules at v0.0.0 and replaces them with folders that are not published.
      const staging = await stagingModules(kubernetes, scratch);
      await writeWrapperModule(
        scratch,
        kubernetes,
        staging.map((path) => `${path} => ${path} ${stagingVersion}`),
      );
      const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(kubernetes.version) ?? [];
      const version = 'k8s.io/component-base/version';
      const variables = {
        [`${version}.gitVersion`]: kubernetes.version,
        [`${version}.gitMajor`]: major,
        [`${version}.gitMinor`]: minor,
      };
      const target = `${kubernetes.path}/cmd/${command}`;
      await goBuild({ package: target, output: join(folder, command), scratch, variables }, report);
    },
  };
}
