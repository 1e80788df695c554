import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { type Artefact, artefactFolder, cached, isCached } from '../prerequisites/cache.ts';
import { runLogged } from '../prerequisites/run-logged.ts';
import { runSteps, type Step } from '../prerequisites/steps.ts';
import { type Architecture, nodeVersion, ownArchitecture } from './architecture.ts';

/** The path of the program that the image for this machine runs. */
export async function shippedNode(): Promise<string> {
  const architecture = ownArchitecture();
  await runSteps([nodeStep(architecture)]);
  return join(artefactFolder(nodeArtefact(architecture, () => {})), 'bin/node');
}

function nodeStep(architecture: Architecture): Step {
  return {
    title: `Node.js ${nodeVersion}`,
    isReady: async () => isCached(nodeArtefact(architecture, () => {})),
    run: async (report) => {
      await nodePackage(architecture, report);
      return undefined;
    },
  };
}

/** The folder of Node for a machine, from the npm registry: `bin/node`, `include` and `LICENSE`. */
export function nodePackage(architecture: Architecture, report: (line: string) => void): Promise<string> {
  return cached(nodeArtefact(architecture, report));
}

function nodeArtefact({ node, nodeIntegrity }: Architecture, report: (line: string) => void): Artefact {
  const name = `node-linux-${node}`;
  return {
    name,
    inputs: [nodeVersion, nodeIntegrity],
    make: async (folder, scratch) => {
      const packed = await execa('npm', ['pack', '--json', `${name}@${nodeVersion}`], { cwd: scratch });
      if (!packed.stdout.includes(nodeIntegrity)) {
        throw new Error(`expected ${name}@${nodeVersion} with ${nodeIntegrity}, found another in the npm registry`);
      }
      const archive = (await readdir(scratch)).find((each) => each.endsWith('.tgz')) ?? '';
      const unpack = ['tar', 'xzf', join(scratch, archive), '--strip-components=1', '-C', folder];
      await runLogged(unpack, { cwd: scratch, log: '/dev/null', report });
    },
  };
}
