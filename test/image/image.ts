import { chmod, copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { type Bundle, bundle, hashBang } from '../build/bundle.ts';
import { debianPackages } from '../prerequisites/packages.ts';
import { runSteps } from '../prerequisites/steps.ts';
import { crossAddon } from './addon.ts';
import { type Architecture, nodeVersion, ownArchitecture } from './architecture.ts';
import { fillBaseTree } from './base-tree.ts';
import { billOfMaterials } from './bill-of-materials.ts';
import { currentPackages, unpackedPackages } from './debian.ts';
import { imageArchive, imageNameOf, ownVersion } from './image-name.ts';
import { cachedLayer, type Layer } from './layer.ts';
import { nodePackage } from './node-package.ts';
import { writeOciArchive } from './oci-archive.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** An image that was built. */
export interface BuiltImage {
  /** The OCI archive. */
  readonly archive: string;
  readonly digest: string;
  readonly unpackedBytes: number;
}

/** Where an image goes, and what is in it. */
export interface ImageOptions {
  readonly folder: string;
  readonly report: (line: string) => void;
  /** Another version than that of the checkout, and how its program is made. */
  readonly program?: { readonly version: string; readonly bundle: () => Promise<Bundle> };
}

/** Builds the image for a machine, and its bill of materials beside it. */
export async function buildImage(architecture: Architecture, options: ImageOptions): Promise<BuiltImage> {
  const { folder, report, program = { version: ownVersion, bundle } } = options;
  await provideCompiler(architecture);
  const node = await nodePackage(architecture, report);
  const packages = await currentPackages(architecture);
  const debian = await unpackedPackages(architecture, packages, report);
  const recipe = await readFile(new URL('base-tree.ts', import.meta.url), 'utf8');
  const inputs = [recipe, nodeVersion, ...packages.map(({ name, version }) => `${name}=${version}`)];
  const base = await cachedLayer(`image-base-${architecture.name}`, inputs, (tree) =>
    fillBaseTree(tree, { architecture, node, debian, packages }),
  );
  const { code, modules } = await program.bundle();
  const bill = await billOfMaterials({ version: program.version, architecture, packages, modules, root });
  const own = await ownLayer({ code, bill, addon: await crossAddon(architecture, node, report) });
  const archive = imageArchive(architecture, folder, program.version);
  const layers = [base, own];
  const created = await creationTime();
  const facts = { name: imageNameOf(program.version), version: program.version, architecture, created, layers };
  const digest = await writeOciArchive(archive, facts);
  await writeFile(archive.replace('.oci.tar', '.cdx.json'), bill);
  return { archive, digest, unpackedBytes: base.unpackedBytes + own.unpackedBytes };
}

/** The compiler for this machine is there for the addon of the tests. */
async function provideCompiler({ name, compiler }: Architecture): Promise<void> {
  if (name !== ownArchitecture().name) await runSteps([debianPackages(`compiler for ${name}`, compiler)]);
}

interface OwnParts {
  readonly code: Uint8Array;
  readonly bill: string;
  readonly addon: string;
}

/**
 * There is no env in the image, and without it a first line has one option at most: the entrypoint names them. Who runs a
 * command in a container by hand can do without.
 */
const firstLine = '#!/usr/bin/node';

/** What changes with every version: an upgrade moves this layer alone. */
async function ownLayer({ code, bill, addon }: OwnParts): Promise<Layer> {
  const text = Buffer.from(code).toString('utf8').replace(hashBang, firstLine);
  const contents = [await readFile(addon, 'latin1'), bill, text];
  return cachedLayer('image-own', contents, async (tree) => {
    const place = join(tree, 'usr/lib/sluice');
    await mkdir(place, { recursive: true });
    await mkdir(join(tree, 'usr/bin'));
    await mkdir(join(tree, 'usr/share/doc/sluice'), { recursive: true });
    await writeFile(join(place, 'sluice.mjs'), text);
    await chmod(join(place, 'sluice.mjs'), 0o755);
    await copyFile(addon, join(place, 'sluice.node'));
    await writeFile(join(place, 'sluice.cdx.json'), bill);
    await copyFile(join(root, 'LICENSE'), join(tree, 'usr/share/doc/sluice/LICENSE'));
    await symlink('../lib/sluice/sluice.mjs', join(tree, 'usr/bin/sluice'));
  });
}

/** https://reproducible-builds.org/specs/source-date-epoch/; without it the time of the last commit. */
async function creationTime(): Promise<string> {
  const given = process.env['SOURCE_DATE_EPOCH'];
  const git = ['-C', root, 'log', '-1', '--format=%ct'];
  const seconds = given ?? (await execa('git', git, { reject: false })).stdout;
  return new Date(Number(seconds) * 1_000).toISOString();
}
