import { expect, it } from 'vitest';
import { bundle } from './bundle.ts';

it('asks for no module of Node that warns when it is loaded', async () => {
  const { code } = await bundle();
  // DEP0040, DEP0005 and their like: modules that are deprecated as a whole.
  expect(Buffer.from(code).toString('utf8')).not.toMatch(/(?:require\(|from )"(?:node:)?(?:punycode|domain|sys)\/?"/);
});
