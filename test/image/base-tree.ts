import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { runLogged } from '../prerequisites/run-logged.ts';
import type { Architecture } from './architecture.ts';
import type { DebianPackage } from './debian.ts';
import { readElf } from './elf.ts';

/** What the base of the image is made of. */
export interface BaseParts {
  readonly architecture: Architecture;
  /** The folder of Node. */
  readonly node: string;
  /** The folder of the unpacked packages. */
  readonly debian: string;
  readonly packages: readonly DebianPackage[];
}

/**
 * Fills `tree` with what changes seldom: Node, nft, modprobe, the libraries they ask for, CA certificates and the
 * licences of all. Throws when a library is missing or a file is for another machine.
 */
export async function fillBaseTree(tree: string, parts: BaseParts): Promise<void> {
  const { architecture, node, debian } = parts;
  for (const folder of ['etc/ssl/certs', 'usr/bin', 'usr/sbin', `usr/lib/${architecture.triplet}`, 'usr/lib64']) {
    await mkdir(join(tree, folder), { recursive: true });
  }
  for (const mountPoint of ['dev', 'proc', 'run', 'sys', 'tmp']) await mkdir(join(tree, mountPoint));
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) await symlink(`usr/${name}`, join(tree, name));
  const options = { cwd: tree, log: '/dev/null', report: () => {} };
  // A sixth of the binary is names of functions that are not exported.
  await runLogged([`${architecture.triplet}-strip`, '-o', 'usr/bin/node', join(node, 'bin/node')], options);
  await copyFile(join(debian, 'usr/sbin/nft'), join(tree, 'usr/sbin/nft'));
  await copyFile(join(debian, 'bin/kmod'), join(tree, 'usr/bin/kmod'));
  await symlink('../bin/kmod', join(tree, 'usr/sbin/modprobe'));
  await copyLibraries(tree, parts);
  await writeConfiguration(tree, debian);
  await copyLicences(tree, parts);
}

async function copyLibraries(tree: string, { architecture, debian }: BaseParts): Promise<void> {
  const { triplet, interpreter } = architecture;
  const waiting = ['usr/bin/node', 'usr/sbin/nft', 'usr/bin/kmod'];
  const done = new Set<string>();
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    if (done.has(next)) continue;
    done.add(next);
    const elf = await readElf(join(tree, next));
    if (elf?.machine !== architecture.machine) {
      throw new Error(`expected ${next} for ${architecture.machine}, found ${elf?.machine ?? 'no ELF file'}`);
    }
    for (const name of elf.needed) {
      const target = `usr/lib/${triplet}/${name}`;
      if (!done.has(target)) await copyLibrary(name, join(tree, target), [triplet, debian]);
      waiting.push(target);
    }
  }
  if (interpreter !== `/lib/${basename(interpreter)}` && !interpreter.startsWith('/lib64/')) {
    throw new Error(`expected the dynamic linker in /lib or /lib64, found ${interpreter}`);
  }
  await symlink(`/usr/lib/${triplet}/${basename(interpreter)}`, join(tree, 'usr', interpreter));
}

/** Debian 12 has libraries in both folders, until they are one. */
async function copyLibrary(name: string, target: string, [triplet, debian]: readonly [string, string]): Promise<void> {
  for (const folder of ['lib', 'usr/lib']) {
    try {
      // The name may be a link to the file of the exact version.
      await copyFile(join(debian, folder, triplet, name), target);
      return;
    } catch {
      // The other folder may have it.
    }
  }
  throw new Error(`expected ${name} in one of the Debian packages, found none; name its package in debian.ts`);
}

async function writeConfiguration(tree: string, debian: string): Promise<void> {
  for (const name of ['protocols', 'services']) await copyFile(join(debian, 'etc', name), join(tree, 'etc', name));
  await writeFile(join(tree, 'etc/passwd'), 'root:x:0:0:root:/:/nologin\n');
  await writeFile(join(tree, 'etc/group'), 'root:x:0:\n');
  await writeFile(join(tree, 'etc/nsswitch.conf'), 'hosts: files dns\nprotocols: files\nservices: files\n');
  const certificates = join(debian, 'usr/share/ca-certificates/mozilla');
  const texts = await Promise.all(
    (await readdir(certificates)).toSorted().map((name) => readFile(join(certificates, name), 'utf8')),
  );
  await writeFile(join(tree, 'etc/ssl/certs/ca-certificates.crt'), texts.join(''));
}

async function copyLicences(tree: string, { node, debian, packages }: BaseParts): Promise<void> {
  const wanted = packages.map(({ name }) => `usr/share/doc/${name}/copyright`);
  for (const path of wanted) {
    await mkdir(join(tree, dirname(path)), { recursive: true });
    await copyFile(join(debian, path), join(tree, path));
  }
  await mkdir(join(tree, 'usr/share/doc/nodejs'), { recursive: true });
  await copyFile(join(node, 'LICENSE'), join(tree, 'usr/share/doc/nodejs/LICENSE'));
}
