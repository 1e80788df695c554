import { join } from 'node:path';
import { type Artefact, artefactFolder } from './cache.ts';
import { type GoModule, goBuild, goStep, writeWrapperModule } from './go.ts';
import type { Step } from './steps.ts';

/** Of Kubernetes' 1.36, like the API server of the tests: what both need is compiled once. */
const helm: GoModule = { path: 'helm.sh/helm/v3', version: 'v3.21.4' };

/** Helm, built from the Go module proxy. */
export const helmStep: Step = goStep('helm', artefact);

/** The path of the program that `helmStep` made. */
export function helmProgram(): string {
  return join(artefactFolder(artefact(() => {})), 'helm');
}

function artefact(report: (line: string) => void): Artefact {
  return {
    name: 'helm',
    inputs: [helm.path, helm.version],
    make: async (folder, scratch) => {
      await writeWrapperModule(scratch, helm, []);
      // What a chart is rendered for where no cluster is asked; Helm's own default is 1.20.
      const variables = {
        [`${helm.path}/internal/version.version`]: helm.version,
        [`${helm.path}/pkg/chartutil.k8sVersionMajor`]: '1',
        [`${helm.path}/pkg/chartutil.k8sVersionMinor`]: '36',
      };
      await goBuild({ package: `${helm.path}/cmd/helm`, output: join(folder, 'helm'), scratch, variables }, report);
    },
  };
}
