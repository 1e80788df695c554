import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { shippedNodeOptions } from './node-options.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const file = join(root, 'dist/sluice.mjs');

/** The first line of the program. */
export const hashBang = `#!/usr/bin/env -S node ${shippedNodeOptions.join(' ')}`;

/** The program in one file. */
export interface Bundle {
  readonly code: Uint8Array;
  /** Its source map, which is not shipped. */
  readonly map: Uint8Array;
  /** Paths of the modules in it, relative to the root of the checkout. */
  readonly modules: readonly string[];
}

/** Writes `dist/sluice.mjs` when it differs. Returns one line about it. */
export async function buildBundle(): Promise<string> {
  const { code } = await bundle();
  const name = relative(root, file);
  const present = await readFile(file).catch(() => undefined);
  if (present?.equals(code) === true) return `${name} is up to date`;
  await mkdir(dirname(file), { recursive: true });
  // An agent may be starting from it at this moment.
  await writeFile(`${file}.new`, code, { mode: 0o755 });
  await rename(`${file}.new`, file);
  return `${name} is built, ${Math.round(code.length / 1024)} KiB`;
}

const withoutGeneratedClient: Plugin = {
  name: 'without-generated-client',
  setup: (bundling) => {
    const path = fileURLToPath(new URL('generated-client.ts', import.meta.url));
    bundling.onResolve({ filter: /^\.\/gen\/index\.js$/ }, ({ importer }) =>
      importer.includes('/@kubernetes/client-node/') ? { path } : undefined,
    );
  },
};

/** Bundles `src/main.ts` with its dependencies. The addon stays outside, found relative to the bundle. */
export async function bundle(plugins: Plugin[] = []): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['src/main.ts'],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // The package loads Node's punycode, which warns in every log that it is deprecated, and 300 KB of tables.
    alias: { 'whatwg-url': fileURLToPath(new URL('whatwg-url.ts', import.meta.url)) },
    banner: {
      js: [
        hashBang,
        // Packages written as CommonJS ask for Node's own modules by require.
        "import { createRequire as createRequireOfBundle } from 'node:module';",
        'const require = createRequireOfBundle(import.meta.url);',
      ].join('\n'),
    },
    plugins: [withoutGeneratedClient, ...plugins],
    sourcemap: 'external',
    sourcesContent: false,
    // Wherever the map is put, it leads to the sources.
    sourceRoot: dirname(file),
    write: false,
    metafile: true,
    logLevel: 'warning',
  });
  const output = (ending: string) =>
    outputFiles.find(({ path }) => path.endsWith(ending))?.contents ?? new Uint8Array();
  return { code: output('.mjs'), map: output('.mjs.map'), modules: Object.keys(metafile.inputs) };
}
