import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Artefact, artefactFolder, cached, isCached } from './cache.ts';
import { runLogged } from './run-logged.ts';
import type { Step } from './steps.ts';

const folder = fileURLToPath(new URL('../lab/traffic', import.meta.url));
const sources = ['main.c', 'network.c', 'requester.c', 'responder.c'] as const;

/** The program that answers and sends the requests of a world. In C: it is started anew for each world. */
export const trafficStep: Step = {
  title: 'traffic program',
  isReady: async () => isCached(trafficArtefact(() => {})),
  run: async (report) => `built in ${await cached(trafficArtefact(report))}`,
};

/** The path of the program that `trafficStep` made. */
export function trafficProgram(): string {
  return join(artefactFolder(trafficArtefact(() => {})), 'traffic');
}

function trafficArtefact(report: (line: string) => void): Artefact {
  // Static: images of pods hold nothing but it and a shell.
  const flags = ['-static', '-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror'];
  return {
    name: 'traffic',
    inputs: [...flags, ...[...sources, 'traffic.h'].map((each) => readFileSync(join(folder, each), 'utf8'))],
    make: (output, scratch) =>
      runLogged(['gcc', ...flags, '-o', join(output, 'traffic'), ...sources], {
        cwd: folder,
        log: join(scratch, 'build.log'),
        report,
      }),
  };
}
