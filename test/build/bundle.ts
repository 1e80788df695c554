import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bundle = join(root, 'dist/sluice.mjs');

/** Bundles `src/main.ts` with its dependencies. The addon stays outside, found relative to the bundle. */
export async function buildBundle(): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['src/main.ts'],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner: {
      js: [
        '#!/usr/bin/env node',
        // Packages written as CommonJS ask for Node's own modules by require.
        "import { createRequire as createRequireOfBundle } from 'node:module';",
        'const require = createRequireOfBundle(import.meta.url);',
      ].join('\n'),
    },
    write: false,
    logLevel: 'warning',
  });
  const contents = outputFiles[0]?.contents ?? new Uint8Array();
  const name = relative(root, bundle);
  const present = await readFile(bundle).catch(() => undefined);
  if (present?.equals(contents) === true) return `${name} is up to date`;
  await mkdir(dirname(bundle), { recursive: true });
  // An agent may be starting from it at this moment.
  await writeFile(`${bundle}.new`, contents, { mode: 0o755 });
  await rename(`${bundle}.new`, bundle);
  return `${name} is built, ${Math.round(contents.length / 1024)} KiB`;
}
