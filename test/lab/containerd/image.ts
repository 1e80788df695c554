import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { output } from '../execute.ts';

/** What keeps a sandbox: Debian's busybox, sleeping. No registry is asked for it. */
export const pauseImage = 'sluice.test/pause:1';

/** Writes the image as an archive in the way of "docker save" and returns its path. */
export async function writePauseImage(folder: string): Promise<string> {
  const files = join(folder, 'image');
  await mkdir(files);
  await output('-', ['cp', '/bin/busybox', files]);
  await output('-', ['tar', '-C', files, '-cf', join(files, 'layer.tar'), 'busybox']);
  const digest = createHash('sha256')
    .update(await readFile(join(files, 'layer.tar')))
    .digest('hex');
  const config = {
    architecture: goArchitecture(),
    os: 'linux',
    config: { Entrypoint: ['/busybox', 'sleep', '1000000'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
  };
  await writeFile(join(files, 'config.json'), JSON.stringify(config));
  const manifest = [{ Config: 'config.json', RepoTags: [pauseImage], Layers: ['layer.tar'] }];
  await writeFile(join(files, 'manifest.json'), JSON.stringify(manifest));
  const archive = join(folder, 'image.tar');
  await output('-', ['tar', '-C', files, '-cf', archive, 'manifest.json', 'config.json', 'layer.tar']);
  return archive;
}

/** Go's name of this machine's processor, which an image carries. */
function goArchitecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}
