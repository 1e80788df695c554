/** The same program as a version to come would be: it keeps its state in another format. */

import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';
import { bundle } from '../build/bundle.ts';
import { ownArchitecture } from '../image/architecture.ts';
import { buildImage, type ImageOptions } from '../image/image.ts';
import { imageArchive, imageFolder, imageNameOf } from '../image/image-name.ts';

const version = '99.0.0';

/** The image's name, as a manifest asks for it. */
export const nextImageName = imageNameOf(version);

/** The next version has another set in the place of this one: rules name it, and its elements are to be there with them. */
export const setOfThisVersion = 'masquerade4';
export const setOfNextVersion = 'every_source4';

/** Builds the image and returns its archive. */
export async function buildNextImage(report: (line: string) => void): Promise<string> {
  const options: ImageOptions = {
    folder: imageFolder,
    report,
    program: { version, bundle: () => bundle([otherFormat()]) },
  };
  return (await buildImage(ownArchitecture(), options)).archive;
}

/** Where `buildNextImage` left it. */
export function nextImageArchive(): string {
  return imageArchive(ownArchitecture(), imageFolder, version);
}

interface Edit {
  readonly in: RegExp;
  readonly from: string;
  readonly to: string;
}

const edits: readonly Edit[] = [
  { in: /nft\/set-layout\.ts$/, from: 'name: `${set}$', to: "name: `${set === 'masquerade' ? 'every_source' : set}$" },
  { in: /nft\/chains\.ts$/, from: '@masquerade$', to: '@every_source$' },
  { in: /last-known\/document\.ts$/, from: 'const version = 1;', to: 'const version = 2;' },
  { in: /direct-return\/pod-record\.ts$/, from: 'const version = 1;', to: 'const version = 2;' },
];

/** Edits the source on its way into the bundle. A file that has nothing of what is to be edited fails the build. */
function otherFormat(): Plugin {
  return {
    name: 'other-format',
    setup: (build) => {
      const done = new Set<Edit>();
      build.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
        const source = await readFile(path, 'utf8');
        const due = edits.filter((each) => each.in.test(path) && source.includes(each.from));
        for (const each of due) done.add(each);
        return { contents: due.reduce((text, { from, to }) => text.replaceAll(from, to), source), loader: 'ts' };
      });
      build.onLoad({ filter: /\/package\.json$/ }, async ({ path }) => {
        const source = await readFile(path, 'utf8');
        return {
          contents: source.replace(/("name": "sluice",\s+"version": )"[^"]+"/, `$1"${version}"`),
          loader: 'json',
        };
      });
      build.onEnd(() => {
        const missing = edits.filter((each) => !done.has(each));
        return {
          errors: missing.map(({ from }) => ({ text: `expected ${JSON.stringify(from)} in the source, found none` })),
        };
      });
    },
  };
}
