import { execa } from 'execa';
import { expect, it } from 'vitest';
import { bundle, hashBang } from './bundle.ts';
import { shippedNodeOptions } from './node-options.ts';

it('has nothing of the Kubernetes client that an agent does not need', async () => {
  const { modules } = await bundle();
  expect(modules).toContain('node_modules/@kubernetes/client-node/dist/config.js');
  expect(modules.filter((path) => /client-node\/dist\/(?:gen|index)|node_modules\/(?:ws|tar-fs)\//.test(path))).toEqual(
    [],
  );
});

it('asks for no module of Node that warns when it is loaded', async () => {
  const { code } = await bundle();
  // DEP0040, DEP0005 and their like: modules that are deprecated as a whole.
  expect(Buffer.from(code).toString('utf8')).not.toMatch(/(?:require\(|from )"(?:node:)?(?:punycode|domain|sys)\/?"/);
});

it('runs with options that its own first line names and Node.js knows', async () => {
  const { code } = await bundle();
  expect(Buffer.from(code).toString('utf8').split('\n', 1)).toEqual([hashBang]);
  expect(hashBang.split(' ').slice(-shippedNodeOptions.length)).toEqual([...shippedNodeOptions]);
  const { stdout } = await execa(process.execPath, [
    ...shippedNodeOptions,
    '--print',
    'JSON.stringify(process.execArgv)',
  ]);
  expect(JSON.parse(stdout)).toEqual(expect.arrayContaining([...shippedNodeOptions]));
});
