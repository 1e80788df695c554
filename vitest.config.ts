import { defineConfig } from 'vitest/config';

const inLab = ['test/**/*.kernel.test.ts', 'test/**/*.api.test.ts', 'test/**/*.cluster.test.ts'];

// They build what they need: the image from the package sources and npm, a kernel.
const ofImages = ['test/**/*.image.test.ts'];

// Those in the lab fail as a whole, with one message, where there is no IPVS.
const labSetup = ['test/lab/machine/requirement.ts'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...inLab, ...ofImages],
          pool: 'forks',
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'image',
          include: ofImages,
          pool: 'forks',
          testTimeout: 600_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'kernel',
          include: ['test/**/*.kernel.test.ts'],
          globalSetup: labSetup,
          pool: 'forks',
          // One kernel, one CPU: side by side the tests would only disturb each other.
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'api',
          include: ['test/**/*.api.test.ts'],
          globalSetup: labSetup,
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 240_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['test/**/*.cluster.test.ts'],
          globalSetup: labSetup,
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
