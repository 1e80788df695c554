import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };
import type { Architecture } from './architecture.ts';

/** The name by which manifests ask for the image. No registry serves it: it can only come from the node itself. */
export const imageName = `localhost/sluice:${packageJson.version}`;

/** The folder for images unless told otherwise. */
export const imageFolder = fileURLToPath(new URL('../../dist', import.meta.url));

/** Where the archive of an image lies when it was built. */
export function imageArchive({ name }: Architecture, folder: string = imageFolder): string {
  return join(folder, `sluice-${packageJson.version}-${name}.oci.tar`);
}
