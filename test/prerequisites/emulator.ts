import { readFileSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { EmulatedKernel } from '../lab/machine/emulator.ts';
import { type Artefact, artefactFolder, cached, isCached } from './cache.ts';
import { debianPackages } from './packages.ts';
import { runLogged } from './run-logged.ts';
import type { Step } from './steps.ts';
import { UnmetPrerequisiteError } from './unmet.ts';

const init = fileURLToPath(new URL('../lab/machine/emulator-init.sh', import.meta.url));
/** Of the same version as the source of the test kernel. */
const metaPackage = 'linux-image-6.12-amd64';
/** What the initial RAM file system needs to find the host's tree. */
const earlyModules = [
  'fs/netfs/netfs',
  'net/9p/9pnet',
  'net/9p/9pnet_virtio',
  'fs/9p/9p',
  'fs/overlayfs/overlay',
] as const;

/** QEMU, and Debian's own kernel, which is unpacked into the cache and not installed. */
export const emulatorSteps: readonly Step[] = [
  debianPackages('emulator', ['qemu-system-x86', 'busybox-static', 'cpio', 'kmod', 'xz-utils']),
  {
    title: "Debian's kernel",
    isReady: async () => isCached(await artefact(() => {})),
    run: async (report) => `unpacked in ${await cached(await artefact(report))}`,
  },
];

/** What `emulatorSteps` made. */
export async function emulatedKernel(): Promise<EmulatedKernel> {
  const folder = artefactFolder(await artefact(() => {}));
  return {
    kernel: join(folder, 'vmlinuz'),
    initialRam: join(folder, 'initial-ram.cpio'),
    modules: join(folder, 'modules'),
  };
}

async function artefact(report: (line: string) => void): Promise<Artefact> {
  const name = await imagePackage();
  return {
    name: 'debian-kernel',
    inputs: [name, readFileSync(init, 'utf8')],
    make: (folder, scratch) => make(name, folder, scratch, report),
  };
}

/** The package that the meta-package leads to: its name holds the version. */
async function imagePackage(): Promise<string> {
  const { stdout } = await execa('apt-cache', ['depends', metaPackage], { reject: false });
  const name = /Depends: (linux-image-\S+)/.exec(stdout)?.[1];
  if (name !== undefined) return name;
  throw new UnmetPrerequisiteError({
    expected: `the Debian package ${metaPackage}`,
    found: 'none in the package lists',
    next: 'Run as root: apt-get update',
  });
}

async function make(name: string, folder: string, scratch: string, report: (line: string) => void): Promise<void> {
  const run = (command: readonly string[], cwd = scratch) =>
    runLogged(command, { cwd, log: join(scratch, 'unpack.log'), report });
  await run(['apt-get', 'download', name]);
  const archive = (await readdir(scratch)).find((each) => each.endsWith('.deb')) ?? '';
  await run(['dpkg-deb', '--extract', archive, 'image']);
  const release = name.slice('linux-image-'.length);
  await run(['depmod', '--basedir', join(scratch, 'image'), release]);
  await rename(join(scratch, 'image/boot', `vmlinuz-${release}`), join(folder, 'vmlinuz'));
  await rename(join(scratch, 'image/lib/modules'), join(folder, 'modules'));
  await packInitialRam(join(folder, 'modules', release), join(scratch, 'ram'));
  await run(
    ['sh', '-c', `find . | cpio --create --format=newc >${join(folder, 'initial-ram.cpio')}`],
    join(scratch, 'ram'),
  );
}

async function packInitialRam(modules: string, folder: string): Promise<void> {
  await mkdir(join(folder, 'bin'), { recursive: true });
  await copyFile('/bin/busybox', join(folder, 'bin/busybox'));
  await copyFile(init, join(folder, 'init'));
  await chmod(join(folder, 'init'), 0o755);
  for (const path of earlyModules) {
    const { stdout } = await execa('xz', ['--decompress', '--stdout', join(modules, 'kernel', `${path}.ko.xz`)], {
      encoding: 'buffer',
    });
    await writeFile(join(folder, `${basename(path)}.ko`), stdout);
  }
}
