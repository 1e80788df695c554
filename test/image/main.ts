/** `npm run image [-- --arch=amd64|arm64|all] [--output=FOLDER]`: the OCI image, for `ctr images import`. */

import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { packagesStep } from '../prerequisites/packages.ts';
import { runSteps } from '../prerequisites/steps.ts';
import { type Architecture, architectures, ownArchitecture } from './architecture.ts';
import { buildImage } from './image.ts';
import { imageFolder, imageName } from './image-name.ts';

try {
  const { values } = parseArgs({
    options: { arch: { type: 'string', default: ownArchitecture().name }, output: { type: 'string' } },
  });
  const folder = resolve(values.output ?? imageFolder);
  await runSteps([packagesStep]);
  for (const architecture of chosen(values.arch)) {
    const started = performance.now();
    const { archive, digest, unpackedBytes } = await buildImage(architecture, { folder, report: () => {} });
    const { size } = await stat(archive);
    console.log(`${imageName} for ${architecture.name}: ${archive}`);
    console.log(`  digest    ${digest}`);
    console.log(`  archive   ${megabytes(size)}, unpacked ${megabytes(unpackedBytes)}`);
    console.log(`  built in  ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function chosen(word: string): readonly Architecture[] {
  if (word === 'all') return architectures;
  const found = architectures.filter(({ name }) => name === word);
  if (found.length > 0) return found;
  throw new Error(`--arch: expected ${architectures.map(({ name }) => name).join(', ')} or all, found ${word}`);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
