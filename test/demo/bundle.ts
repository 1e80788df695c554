import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** The programs that run in the lab, each as one file: a TypeScript loader would take seconds there. */
export interface DemoPrograms {
  readonly demo: string;
  readonly peer: string;
}

const entries = { demo: './program.ts', peer: './traffic/peer.ts' } as const;

export async function bundleDemo(folder: string): Promise<DemoPrograms> {
  await mkdir(folder, { recursive: true });
  await build({
    entryPoints: Object.fromEntries(
      Object.entries(entries).map(([name, path]) => [name, fileURLToPath(new URL(path, import.meta.url))]),
    ),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // Packages written as CommonJS ask for Node's own modules by require.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'warning',
  });
  return { demo: `${folder}/demo.mjs`, peer: `${folder}/peer.mjs` };
}
