import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadAddonFrom } from '../../native/load.ts';
import { thrownBy } from './messages.ts';

const built = fileURLToPath(new URL('../../build/Release/sluice.node', import.meta.url));
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-load-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('loadAddonFrom', () => {
  it('loads the first file that exists', () => {
    const addon = loadAddonFrom([join(folder, 'absent.node'), built]);
    expect(Object.keys(addon).toSorted()).toEqual(['IpvsSockopt', 'NetlinkSocket', 'withNetworkNamespace']);
  });

  it('says where it looked and what to do when there is none', () => {
    expect(thrownBy(() => loadAddonFrom([join(folder, 'absent.node')]))).toMatchObject({
      code: 'addon-missing',
      message: `the native addon is missing, run "npm run build"; looked for ${folder}/absent.node`,
    });
  });

  it('tells a file for another architecture', async () => {
    const path = join(folder, 'big-endian.node');
    // An ELF header for 32-bit big-endian s390.
    await writeFile(path, Buffer.concat([Buffer.from('7f454c4601020100', 'hex'), Buffer.alloc(56)]));
    expect(thrownBy(() => loadAddonFrom([path]))).toMatchObject({
      code: 'addon-wrong-architecture',
      message: expect.stringContaining(process.arch),
    });
  });

  it('keeps the cause of any other failure', async () => {
    const path = join(folder, 'short.node');
    await writeFile(path, 'x');
    expect(thrownBy(() => loadAddonFrom([path]))).toMatchObject({
      code: 'addon-unloadable',
      cause: expect.any(Error),
    });
  });
});
