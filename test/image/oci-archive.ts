import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { shippedNodeOptions } from '../build/node-options.ts';
import type { Architecture } from './architecture.ts';
import { type Layer, sha256 } from './layer.ts';

/** What an archive says of the image in it. */
export interface ImageFacts {
  /** With its tag. */
  readonly name: string;
  readonly version: string;
  readonly architecture: Architecture;
  /** RFC 3339. */
  readonly created: string;
  readonly layers: readonly Layer[];
}

const entrypoint = ['/usr/bin/node', ...shippedNodeOptions, '/usr/lib/sluice/sluice.mjs'];
const environment = ['PATH=/usr/sbin:/usr/bin'];

/** Writes an OCI image layout (image-spec 1.1) as one tar, and returns the digest of the image. */
export async function writeOciArchive(file: string, image: ImageFacts): Promise<string> {
  await mkdir(dirname(file), { recursive: true });
  const layout = await mkdtemp(join(dirname(file), '.oci-'));
  try {
    const digest = await fillLayout(layout, image);
    const owner = ['--owner=root:0', '--group=root:0', '--numeric-owner', '--mode=u=rwX,go=rX'];
    const format = ['--sort=name', '--mtime=@0', '--format=gnu', ...owner];
    const members = ['oci-layout', 'index.json', 'blobs'];
    await execa('tar', ['--create', '--file', `${file}.new`, ...format, '-C', layout, ...members]);
    await rename(`${file}.new`, file);
    return digest;
  } finally {
    await rm(layout, { recursive: true, force: true });
  }
}

async function fillLayout(layout: string, image: ImageFacts): Promise<string> {
  const { name, version, architecture, created, layers } = image;
  await mkdir(join(layout, 'blobs/sha256'), { recursive: true });
  const add = async (bytes: Uint8Array | string, mediaType: string) => {
    const digest = sha256(bytes);
    await writeFile(join(layout, 'blobs', digest.replace(':', '/')), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const type = (what: string) => `application/vnd.oci.image.${what}`;
  const labels = {
    'org.opencontainers.image.title': 'sluice',
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.licenses': 'Apache-2.0',
  };
  const config = await add(
    JSON.stringify({
      created,
      architecture: architecture.name,
      os: 'linux',
      config: {
        User: '0:0',
        Env: environment,
        Entrypoint: entrypoint,
        Cmd: ['run'],
        WorkingDir: '/',
        Labels: labels,
      },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map(() => ({ created, created_by: 'npm run image' })),
    }),
    type('config.v1+json'),
  );
  const blobs = [];
  for (const layer of layers) blobs.push(await add(await readFile(layer.path), type('layer.v1.tar+gzip')));
  const manifest = await add(
    JSON.stringify({ schemaVersion: 2, mediaType: type('manifest.v1+json'), config, layers: blobs }),
    type('manifest.v1+json'),
  );
  const annotations = {
    // What `ctr images import` and the kubelet know it by.
    'io.containerd.image.name': name,
    'org.opencontainers.image.ref.name': version,
  };
  const described = { ...manifest, platform: { architecture: architecture.name, os: 'linux' }, annotations };
  await writeFile(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  await writeFile(
    join(layout, 'index.json'),
    JSON.stringify({ schemaVersion: 2, mediaType: type('index.v1+json'), manifests: [described] }),
  );
  return manifest.digest;
}
