/** A container of the image by runc, as a container runtime starts it. */

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { output } from '../lab/execute.ts';
import { ownArchitecture } from './architecture.ts';
import { imageArchive } from './image-name.ts';

/** How a container runs. */
export interface ContainerInput {
  /** The network namespace that it shares, as with hostNetwork. */
  readonly node: string;
  readonly image: UnpackedImage;
  readonly args: readonly string[];
  readonly user?: number;
  readonly capabilities: readonly string[];
  /** Capabilities that programs keep without being root; Kubernetes gives none (KEP-2763 is not built). */
  readonly ambient?: readonly string[];
  /** As `privileged: true`: /proc/sys may be written. */
  readonly isPrivileged?: boolean;
  /** Paths outside by paths in the container, read-only. */
  readonly mounts: Readonly<Record<string, string>>;
  /** The same, to be written. */
  readonly writable?: Readonly<Record<string, string>>;
}

/** An image on the disk, and how it asks to be started. */
export interface UnpackedImage {
  readonly root: string;
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
}

/** Unpacks the image that `npm run image` built. */
export async function unpackImage(): Promise<UnpackedImage> {
  const archive = imageArchive(ownArchitecture());
  if (!existsSync(archive)) throw new Error(`expected the image in ${archive}, found none. Run: npm run image`);
  const folder = await mkdtemp(join(tmpdir(), 'image-'));
  const [layout, root] = [join(folder, 'layout'), join(folder, 'root')];
  await mkdir(layout);
  await mkdir(root);
  await output('-', ['tar', 'xf', archive, '-C', layout]);
  const index = await readJson(join(layout, 'index.json'));
  const manifest = await readJson(blob(layout, index.manifests?.[0]?.digest));
  for (const { digest } of manifest.layers ?? []) {
    await output('-', ['tar', 'xzf', blob(layout, digest), '-C', root]);
  }
  const { config } = await readJson(blob(layout, manifest.config?.digest));
  return { root, env: config?.Env ?? [], entrypoint: config?.Entrypoint ?? [] };
}

/** Writes the bundle of a container and returns the command line that runs it in the foreground. */
export async function containerCommand(input: ContainerInput): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'container-'));
  await writeFile(join(folder, 'config.json'), JSON.stringify(configuration(input)));
  return ['runc', `--root=${join(folder, 'state')}`, 'run', `--bundle=${folder}`, `c${process.pid}-${Date.now()}`];
}

interface OciDocument {
  readonly manifests?: readonly { readonly digest: string }[];
  readonly layers?: readonly { readonly digest: string }[];
  /** A manifest names the image's configuration, which has one for its processes. */
  readonly config?: {
    readonly digest?: string;
    readonly Env?: readonly string[];
    readonly Entrypoint?: readonly string[];
  };
}

async function readJson(path: string): Promise<OciDocument> {
  // The image layout's own documents.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(await readFile(path, 'utf8')) as OciDocument;
}

function blob(layout: string, digest = ''): string {
  return join(layout, 'blobs', digest.replace(':', '/'));
}

/** As the runtime specification (runtime-spec 1.0) asks for it and containerd fills it in. */
function configuration(input: ContainerInput): object {
  const {
    node,
    image,
    args,
    user = 0,
    capabilities,
    ambient = [],
    isPrivileged = false,
    mounts,
    writable = {},
  } = input;
  const bind = (destination: string, source: string, mode: 'ro' | 'rw') => ({
    destination,
    source,
    type: 'bind',
    options: ['rbind', mode],
  });
  return {
    ociVersion: '1.0.2',
    process: {
      user: { uid: user, gid: user },
      args: [...image.entrypoint, ...args],
      env: image.env,
      cwd: '/',
      capabilities: {
        bounding: capabilities,
        permitted: capabilities,
        effective: capabilities,
        inheritable: ambient,
        ambient,
      },
      noNewPrivileges: true,
    },
    root: { path: image.root, readonly: true },
    hostname: node,
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: isPrivileged ? [] : ['ro'] },
      ...Object.entries(mounts).map(([destination, source]) => bind(destination, source, 'ro')),
      ...Object.entries(writable).map(([destination, source]) => bind(destination, source, 'rw')),
    ],
    linux: {
      namespaces: [
        { type: 'pid' },
        { type: 'ipc' },
        { type: 'uts' },
        { type: 'mount' },
        { type: 'network', path: `/run/netns/${node}` },
      ],
      readonlyPaths: isPrivileged ? [] : ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  };
}
