import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { type Artefact, cached } from '../prerequisites/cache.ts';
import { runLogged } from '../prerequisites/run-logged.ts';
import { type Architecture, nodeVersion } from './architecture.ts';

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
