/** What `npm run image` builds, for both machines: the same bytes each time, for that machine alone. */

import { mkdir, mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { compile } from './addon.ts';
import { type Architecture, architectures, nodeVersion } from './architecture.ts';
import { fillBaseTree } from './base-tree.ts';
import { currentPackages, unpackedPackages } from './debian.ts';
import { readElf } from './elf.ts';
import { type BuiltImage, buildImage } from './image.ts';
import { type Layer, packLayer, readLayer, sha256 } from './layer.ts';
import { nodePackage, shippedNode } from './node-package.ts';

const report = () => {};

it('has the Node.js that the benchmark measures with', async () => {
  const { stdout } = await execa(await shippedNode(), ['--version']);
  expect(stdout).toBe(`v${nodeVersion}`);
});

describe.each(architectures)('the image for $name', (architecture) => {
  let image: BuiltImage;
  let layout: string;
  let root: string;

  beforeAll(async () => {
    // Not the time of the last commit: there may be one meanwhile.
    vi.stubEnv('SOURCE_DATE_EPOCH', '1767225600');
    image = await build(architecture);
    [layout, root] = await unpack(image.archive);
  });

  afterAll(() => {
    vi.unstubAllEnvs();
  });

  it('has the same digest when it is built again, and when its parts are made anew', async () => {
    expect((await build(architecture)).digest).toBe(image.digest);
    const base = sha256(await readFile((await baseLayer(architecture)).path));
    expect(await readdir(join(layout, 'blobs/sha256'))).toContain(base.replace('sha256:', ''));
    expect(await addon(architecture)).toEqual(await readFile(join(root, 'usr/lib/sluice/sluice.node')));
  });

  it('has under 160 MB, and programs and libraries for that machine alone', async () => {
    expect(image.unpackedBytes).toBeLessThan(160e6);
    const files = await readdir(root, { recursive: true, withFileTypes: true });
    const elves = await Promise.all(
      files.filter((file) => file.isFile()).map(({ parentPath, name }) => readElf(join(parentPath, name))),
    );
    const machines = elves.flatMap((elf) => elf?.machine ?? []);
    // Node, nft, kmod, the addon and their libraries.
    expect(machines.length).toBeGreaterThan(15);
    expect(new Set(machines)).toEqual(new Set([architecture.machine]));
  });

  it('has a modprobe that unpacks modules of xz and zstd, and none of gzip', async () => {
    expect(await readFile(join(root, 'usr/bin/kmod'), 'latin1')).toContain('+ZSTD +XZ -ZLIB');
  });

  it('tells of everything in it, beside it and inside', async () => {
    const bill = await readFile(image.archive.replace('.oci.tar', '.cdx.json'), 'utf8');
    expect(await readFile(join(root, 'usr/lib/sluice/sluice.cdx.json'), 'utf8')).toBe(bill);
    for (const of of ['npm/pino@', 'npm/%40kubernetes/client-node@', 'npm/node-linux-', 'deb/debian/nftables@']) {
      expect(bill).toContain(`pkg:${of}`);
    }
  });
});

async function build(architecture: Architecture) {
  return buildImage(architecture, { folder: await scratch(), report });
}

/** Not from the cache. */
async function baseLayer(architecture: Architecture): Promise<Layer> {
  const [tree, folder] = [await scratch(), await scratch()];
  const packages = await currentPackages(architecture);
  const debian = await unpackedPackages(architecture, packages, report);
  await fillBaseTree(tree, { architecture, node: await nodePackage(architecture, report), debian, packages });
  await packLayer(tree, folder);
  return readLayer(folder);
}

/** Not from the cache. */
async function addon(architecture: Architecture): Promise<Uint8Array> {
  const folder = await scratch();
  const node = await nodePackage(architecture, report);
  await compile({ architecture, node, folder, scratch: await scratch(), report });
  return readFile(join(folder, 'sluice.node'));
}

async function unpack(archive: string): Promise<[string, string]> {
  const [layout, root] = [await scratch(), join(await scratch(), 'root')];
  await mkdir(root);
  await execa('tar', ['xf', archive, '-C', layout]);
  const blobs = join(layout, 'blobs/sha256');
  for (const name of await readdir(blobs)) {
    const bytes = await readFile(join(blobs, name));
    // The layers are the blobs that gzip made.
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) await execa('tar', ['xzf', join(blobs, name), '-C', root]);
  }
  return [layout, root];
}

function scratch(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'image-'));
}
