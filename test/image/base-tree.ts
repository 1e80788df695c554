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
 * Fills `tree` with what changes seldom: Node, nft, iptables, modprobe, the libraries they ask for, CA certificates and the
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
  const extensions = await copyIptables(tree, parts);
  await copyLibraries(tree, parts, extensions);
  await writeConfiguration(tree, debian);
  await copyLicences(tree, parts);
}

/** Both kinds of iptables, each one program of several names. Brings back its extensions, which no program names. */
async function copyIptables(tree: string, { architecture, debian }: BaseParts): Promise<readonly string[]> {
  for (const kind of ['nft', 'legacy']) {
    const program = `xtables-${kind}-multi`;
    await copyFile(join(debian, 'usr/sbin', program), join(tree, 'usr/sbin', program));
    for (const family of ['iptables', 'ip6tables']) {
      for (const verb of ['save', 'restore'])
        await symlink(program, join(tree, 'usr/sbin', `${family}-${kind}-${verb}`));
    }
  }
  // All of them: a table is listed whole, with the rules of everybody.
  const folder = `usr/lib/${architecture.triplet}/xtables`;
  await mkdir(join(tree, folder));
  const names = await readdir(join(debian, folder));
  for (const name of names) await copyFile(join(debian, folder, name), join(tree, folder, name));
  return names.map((name) => `${folder}/${name}`);
}

async function copyLibraries(
  tree: string,
  { architecture, debian }: BaseParts,
  extensions: readonly string[],
): Promise<void> {
  const { triplet, interpreter } = architecture;
  const iptables = ['usr/sbin/xtables-nft-multi', 'usr/sbin/xtables-legacy-multi', ...extensions];
  const waiting = ['usr/bin/node', 'usr/sbin/nft', 'usr/bin/kmod', ...iptables];
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
