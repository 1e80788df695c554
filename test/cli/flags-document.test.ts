import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { flagsDocument } from '../../src/cli/flags-document.ts';

it('docs/flags.md is what the table of flags makes', async () => {
  await expect(flagsDocument()).toMatchFileSnapshot(resolve(import.meta.dirname, '../../docs/flags.md'));
});
