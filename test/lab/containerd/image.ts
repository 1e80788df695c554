import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { output } from '../execute.ts';

/** An image of one layer. */
export interface Image {
  readonly name: string;
  /** Paths in the image, and the files of this machine that are copied there. */
  readonly files: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
}

/** What keeps a sandbox: Debian's busybox, sleeping. No registry is asked for it. */
export const pauseImage = 'sluice.test/pause:1';

/** Writes the image of sandboxes as an archive into the folder and returns its path. */
export function writePauseImage(folder: string): Promise<string> {
  const files = { '/busybox': '/bin/busybox' };
  return writeImage({ name: pauseImage, files, entrypoint: ['/busybox', 'sleep', '1000000'] }, folder);
}

/** Writes the image into the folder as an archive in the way of "docker save" and returns its path. */
export async function writeImage(image: Image, folder: string): Promise<string> {
  const root = join(folder, 'image-root');
  for (const [path, source] of Object.entries(image.files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await copyFile(source, join(root, path));
    await chmod(join(root, path), 0o755);
  }
  for (const each of ['dev', 'etc', 'proc', 'sys', 'tmp']) await mkdir(join(root, each), { recursive: true });
  await output('-', ['tar', '--create', '--file', join(folder, 'layer.tar'), '--directory', root, '.']);
  const layer = await readFile(join(folder, 'layer.tar'));
  const config = {
    architecture: goArchitecture(),
    os: 'linux',
    config: { Entrypoint: image.entrypoint, Env: ['PATH=/usr/local/bin:/usr/bin:/bin'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(layer).digest('hex')}`] },
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  const manifest = [{ Config: 'config.json', RepoTags: [image.name], Layers: ['layer.tar'] }];
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const archive = join(folder, 'image.tar');
  const parts = ['manifest.json', 'config.json', 'layer.tar'];
  await output('-', ['tar', '--create', '--file', archive, '--directory', folder, ...parts]);
  return archive;
}

/** Go's name of this machine's processor, which an image carries. */
function goArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}
