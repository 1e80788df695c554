import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { execa } from 'execa';
import { type Artefact, cached } from '../prerequisites/cache.ts';

/** A layer of an image: a compressed archive. */
export interface Layer {
  /** The compressed archive. */
  readonly path: string;
  /** sha256 of the archive before compression. */
  readonly diffId: string;
  /** Of all files, in bytes. */
  readonly unpackedBytes: number;
}

/** Packs a folder. The same content gives the same bytes: nothing of the time, the user or the file system is in them. */
export async function packLayer(tree: string, folder: string): Promise<void> {
  const archive = join(folder, 'layer.tar');
  const owner = ['--owner=root:0', '--group=root:0', '--numeric-owner', '--mode=u=rwX,go=rX'];
  await execa('tar', [
    '--create',
    '--file',
    archive,
    '--sort=name',
    '--mtime=@0',
    '--format=gnu',
    ...owner,
    '-C',
    tree,
    '.',
  ]);
  const bytes = await readFile(archive);
  await execa('rm', [archive]);
  await writeFile(join(folder, 'layer.tar.gz'), await promisify(gzip)(bytes));
  const { stdout } = await execa('du', ['--summarize', '--apparent-size', '--block-size=1', tree]);
  const facts = { diffId: sha256(bytes), unpackedBytes: Number.parseInt(stdout, 10) };
  await writeFile(join(folder, 'layer.json'), JSON.stringify(facts));
}

/** The layer that `fill` makes, or has made from the same inputs. */
export async function cachedLayer(
  name: string,
  inputs: readonly string[],
  fill: (tree: string) => Promise<void>,
): Promise<Layer> {
  const artefact: Artefact = {
    name,
    inputs,
    make: async (folder, scratch) => {
      await fill(scratch);
      await packLayer(scratch, folder);
    },
  };
  return readLayer(await cached(artefact));
}

/** The layer that `packLayer` left in a folder. */
export async function readLayer(folder: string): Promise<Layer> {
  // Written by packLayer.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const facts = JSON.parse(await readFile(join(folder, 'layer.json'), 'utf8')) as Omit<Layer, 'path'>;
  return { ...facts, path: join(folder, 'layer.tar.gz') };
}

/** As OCI writes digests. */
export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
