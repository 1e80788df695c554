import { join } from 'node:path';
import { execa } from 'execa';
import { type Artefact, artefactFolder } from './cache.ts';
import { copyModule, type GoModule, goBuild, goCommand, goEnvironment, goStep } from './go.ts';
import type { Step } from './steps.ts';

const kubeRouter: GoModule = { path: 'github.com/cloudnativelabs/kube-router/v2', version: 'v2.10.0' };
/** Its own go.mod asks for a commit between releases, which the module proxy does not have. */
const netlink: GoModule = { path: 'github.com/vishvananda/netlink', version: 'v1.3.1' };

/** kube-router, built from the Go module proxy. */
export const kubeRouterStep: Step = goStep('kube-router', artefact);

/** The path of the program that `kubeRouterStep` made. */
export function kubeRouterProgram(): string {
  return join(artefactFolder(artefact(() => {})), 'kube-router');
}

function artefact(report: (line: string) => void): Artefact {
  return {
    name: 'kube-router',
    inputs: [kubeRouter, netlink].flatMap(({ path, version }) => [path, version]),
    make: async (folder, scratch) => {
      await copyModule(kubeRouter, scratch);
      await execa(goCommand(), ['mod', 'edit', `-require=${netlink.path}@${netlink.version}`], {
        cwd: scratch,
        env: goEnvironment,
      });
      const variables = { [`${kubeRouter.path}/pkg/version.Version`]: kubeRouter.version };
      await goBuild({ package: './cmd/kube-router', output: join(folder, 'kube-router'), scratch, variables }, report);
    },
  };
}
