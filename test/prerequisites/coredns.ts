import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Artefact, artefactFolder } from './cache.ts';
import { type GoModule, goBuild, goStep, writeWrapperModule } from './go.ts';
import type { Step } from './steps.ts';

const coredns: GoModule = { path: 'github.com/coredns/coredns', version: 'v1.12.4' };
/** Without those for the clouds, which are most of what it would compile. */
const plugins = ['bind', 'errors', 'kubernetes'] as const;

/** CoreDNS with the plugins that a cluster's names need. */
export const corednsStep: Step = goStep('CoreDNS', artefact);

/** The path of the program that `corednsStep` made. */
export function corednsProgram(): string {
  return join(artefactFolder(artefact(() => {})), 'coredns');
}

function artefact(report: (line: string) => void): Artefact {
  return {
    name: 'coredns',
    inputs: [coredns.path, coredns.version, ...plugins],
    make: async (folder, scratch) => {
      await writeWrapperModule(scratch, coredns, []);
      await writeFile(join(scratch, 'main.go'), mainFile());
      await goBuild({ package: '.', output: join(folder, 'coredns'), scratch, variables: {} }, report);
    },
  };
}

function mainFile(): string {
  return [
    'package main',
    `import "${coredns.path}/coremain"`,
    ...plugins.map((each) => `import _ "${coredns.path}/plugin/${each}"`),
    'func main() { coremain.Run() }',
    '',
  ].join('\n');
}
