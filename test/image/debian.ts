/** Debian packages of another machine or this one, unpacked without being installed. */

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { type Artefact, cached, cacheRoot } from '../prerequisites/cache.ts';
import { withLock } from '../prerequisites/lock.ts';
import { runLogged } from '../prerequisites/run-logged.ts';
import type { Architecture } from './architecture.ts';

/** A package at one version. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
}

/** What the image takes files from. */
const names: readonly string[] = [
  // Node and the addon.
  'libc6',
  'libgcc-s1',
  'gcc-12-base',
  'libstdc++6',
  // nft, which loads the skeleton of the table.
  'nftables',
  'libnftables1',
  'libnftnl11',
  'libmnl0',
  'libxtables12',
  'libjansson4',
  'libgmp10',
  'libedit2',
  'libbsd0',
  'libmd0',
  'libtinfo6',
  // Rules that other proxies left are read and removed by the programs that made them.
  'iptables',
  'libip4tc2',
  'libip6tc2',
  'libnetfilter-conntrack3',
  'libnfnetlink0',
  // modprobe, for --init-only.
  'kmod',
  'libkmod2',
  'liblzma5',
  'libzstd1',
  'libssl3',
  // Names of protocols and ports, for nft.
  'netbase',
  // Node has its own; a credential plugin that is mounted into the container looks for these.
  'ca-certificates',
];

/** The packages as the package sources of this machine have them now. */
export async function currentPackages(architecture: Architecture): Promise<readonly DebianPackage[]> {
  const options = await aptOptions(architecture);
  return withLock(join(cacheRoot(), `apt-${architecture.name}.lock`), async () => {
    await execa('apt-get', [...options, 'update']);
    const { stdout } = await execa('apt-cache', [...options, 'show', '--no-all-versions', ...names]);
    const versions = new Map(
      [...stdout.matchAll(/^Package: (\S+)$[^]*?^Version: (\S+)$/gm)].map(([, name = '', version = '']) => [
        name,
        version,
      ]),
    );
    return names.map((name) => {
      const version = versions.get(name);
      if (version === undefined) throw new Error(`the package sources have no ${name} for ${architecture.name}`);
      return { name, version };
    });
  });
}

/** The folder into which the packages are unpacked, one above the other. */
export function unpackedPackages(
  architecture: Architecture,
  packages: readonly DebianPackage[],
  report: (line: string) => void,
): Promise<string> {
  return cached(unpackedArtefact(architecture, packages, report));
}

function unpackedArtefact(
  architecture: Architecture,
  packages: readonly DebianPackage[],
  report: (line: string) => void,
): Artefact {
  const exact = packages.map(({ name, version }) => `${name}=${version}`);
  return {
    name: `debian-${architecture.name}`,
    inputs: exact,
    make: async (folder, scratch) => {
      const options = await aptOptions(architecture);
      const run = (command: readonly string[]) => runLogged(command, { cwd: scratch, log: '/dev/null', report });
      await run(['apt-get', ...options, 'download', ...exact]);
      for (const archive of (await readdir(scratch)).filter((name) => name.endsWith('.deb'))) {
        await run(['dpkg-deb', '--extract', archive, folder]);
      }
    },
  };
}

/** A state of apt of our own: that of this machine stays as it is, whatever its architectures. */
async function aptOptions({ name }: Architecture): Promise<readonly string[]> {
  const state = join(cacheRoot(), `apt-${name}`);
  await mkdir(join(state, 'lists/partial'), { recursive: true });
  await mkdir(join(state, 'archives/partial'), { recursive: true });
  await writeFile(join(state, 'status'), '');
  const settings = {
    'APT::Architecture': name,
    'APT::Architectures': name,
    'Dir::State': state,
    'Dir::State::Status': join(state, 'status'),
    'Dir::Cache': state,
    // The folder belongs to the user who runs this, not to _apt.
    'APT::Sandbox::User': '',
  };
  return Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
}
