import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

/** Bundles the program that runs in the lab into one file: a TypeScript loader would take seconds there. */
export async function bundleDemo(folder: string): Promise<string> {
  const outfile = join(folder, 'demo.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('./program.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner: {
      // Packages written as CommonJS ask for Node's own modules by require.
      js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
    },
    plugins: [ownPlaces],
    logLevel: 'warning',
  });
  return outfile;
}

/** Modules that find files beside them go on to do so. */
const ownPlaces: Plugin = {
  name: 'own-places',
  setup: (bundling) => {
    bundling.onLoad({ filter: /\/test\/.*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      return { contents: source.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)), loader: 'ts' };
    });
  },
};
