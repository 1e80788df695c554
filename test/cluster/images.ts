/** The images that a cluster's nodes are to run: as `npm run image` makes it, and the same of a version to come. */

import { ownArchitecture } from '../image/architecture.ts';
import { buildImage } from '../image/image.ts';
import { imageFolder } from '../image/image-name.ts';
import type { Step } from '../prerequisites/steps.ts';
import { buildNextImage } from './next-version.ts';

export const imagesStep: Step = {
  title: 'images of sluice',
  // What is in them may have changed; layers that have not come from the cache.
  isReady: async () => false,
  run: async (report) => {
    await buildImage(ownArchitecture(), { folder: imageFolder, report });
    await buildNextImage(report);
    return undefined;
  },
};
