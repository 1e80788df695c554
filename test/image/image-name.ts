import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };
import type { Architecture } from './architecture.ts';

/** The version of the checkout. */
export const ownVersion = packageJson.version;

/** The name by which manifests ask for the image. No registry serves it: it can only come from the node itself. */
export const imageName = imageNameOf(ownVersion);

/** The folder for images unless told otherwise. */
export const imageFolder = fileURLToPath(new URL('../../dist', import.meta.url));

/** The image's name in that version. */
export function imageNameOf(version: string): string {
  return `localhost/sluice:${version}`;
}

/** Where the archive of an image lies when it was built. */
export function imageArchive(
  { name }: Architecture,
  folder: string = imageFolder,
  version: string = ownVersion,
): string {
  return join(folder, `sluice-${version}-${name}.oci.tar`);
}
