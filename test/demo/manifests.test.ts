import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { copyManifests, readManifests, removeEndpoints } from './manifests.ts';

const manifests = fileURLToPath(new URL('./manifests', import.meta.url));

test('the manifests name Services, frontends of both families and the pods behind addresses', async () => {
  const { services, podOf } = await readManifests(manifests, ['192.0.2.10', 'fd02::10']);
  expect(services.map(({ name, protocol, frontends }) => `${name} ${protocol} ${frontends.length}`)).toEqual([
    'shop/chat TCP 4',
    'shop/dns UDP 8',
    'shop/session TCP 4',
    'shop/web TCP 8',
  ]);
  expect([podOf('10.2.0.2'), podOf('fd10:1::4'), podOf('10.9.9.9')]).toEqual(['web-2', 'dns-0', undefined]);
});

test('a pod leaves a file of manifests in both families and comes back to the letter', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-demo-'));
  await copyManifests(manifests, folder);
  const file = join(folder, 'web.yaml');
  const before = await readFile(file, 'utf8');
  const bringBack = await removeEndpoints(file, 'web-2');
  const without = await readFile(file, 'utf8');
  expect(without.match(/addresses: .*/g)).toEqual([
    'addresses: ["10.1.0.2"]',
    'addresses: ["10.1.0.3"]',
    'addresses: ["fd10:1::2"]',
    'addresses: ["fd10:1::3"]',
  ]);
  await bringBack();
  expect(await readFile(file, 'utf8')).toBe(before);
  expect(await readdir(folder)).toEqual(await readdir(manifests));
});

test('a pod that is in no file is told of', async () => {
  await expect(removeEndpoints(join(manifests, 'dns.yaml'), 'web-2')).rejects.toThrow('expected endpoints of web-2');
});
