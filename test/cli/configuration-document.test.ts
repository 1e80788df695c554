import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { configurationDocument } from '../../src/cli/configuration-document.ts';

it('docs/configuration.md is what the tables of settings make', async () => {
  const path = resolve(import.meta.dirname, '../../docs/configuration.md');
  await expect(configurationDocument()).toMatchFileSnapshot(path);
});
