import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Artefact, artefactFolder, cached, isCached } from './cache.ts';
import { packageVersion } from './packages.ts';
import { runLogged } from './run-logged.ts';
import type { Step } from './steps.ts';
import { UnmetPrerequisiteError } from './unmet.ts';

const sourcePackage = 'linux-source-6.12';
const sourceArchive = `/usr/src/${sourcePackage}.tar.xz`;
/**
 * Ticks a second, as Debian's own kernel has them. User-mode Linux has 100, and no question to answer in a configuration:
 * a thread that is handed the processor would keep it for 10 ms, which no node does.
 */
const ticksPerSecond = 250;
const configuration = fileURLToPath(new URL('../lab/kernel/lab.config', import.meta.url));

/** The test kernel: Linux 6.12 as a user-mode program, from Debian's source package and our configuration. */
export const kernelStep: Step = {
  title: 'test kernel',
  isReady: async () => isCached(await kernelArtefact(() => {})),
  run: async (report) => {
    const folder = await cached(await kernelArtefact(report));
    return `built in ${folder}`;
  },
};

/** The path of the kernel that `kernelStep` made. */
export async function kernelPath(): Promise<string> {
  return join(artefactFolder(await kernelArtefact(() => {})), 'linux');
}

async function kernelArtefact(report: (line: string) => void): Promise<Artefact> {
  const version = await packageVersion(sourcePackage);
  if (version === undefined) {
    throw new UnmetPrerequisiteError({
      expected: `the Debian package ${sourcePackage}`,
      found: 'it is not installed',
      next: `Run as root: apt-get install -y ${sourcePackage}`,
    });
  }
  const config = await readFile(configuration, 'utf8');
  const inputs = [config, version, `${ticksPerSecond}`];
  return { name: 'kernel', inputs, make: (folder, scratch) => build(folder, scratch, report) };
}

async function build(folder: string, scratch: string, report: (line: string) => void): Promise<void> {
  const log = join(scratch, 'build.log');
  const run = (command: readonly string[], cwd: string) => runLogged(command, { cwd, log, report });
  await run(['tar', 'xf', sourceArchive], scratch);
  const source = join(scratch, sourcePackage);
  await copyFile(configuration, join(source, 'arch/um/configs/lab_defconfig'));
  await setTicks(join(source, 'arch/um/Kconfig'));
  await run(['make', 'ARCH=um', 'lab_defconfig'], source);
  await run(['make', 'ARCH=um', `-j${availableParallelism()}`, 'linux'], source);
  await run(['strip', '-o', join(folder, 'linux'), 'linux'], source);
}

async function setTicks(kconfig: string): Promise<void> {
  const text = await readFile(kconfig, 'utf8');
  const changed = text.replace(/(?<=^config HZ\n\tint\n\tdefault )100$/m, `${ticksPerSecond}`);
  if (changed === text) {
    throw new Error(`expected "config HZ" with a default of 100 in ${kconfig}, found none`);
  }
  await writeFile(kconfig, changed);
}
