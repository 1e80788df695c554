import { join } from 'node:path';
import { execa } from 'execa';
import { cacheRoot } from './cache.ts';
import { withLock } from './lock.ts';
import type { Step } from './steps.ts';
import { UnmetPrerequisiteError } from './unmet.ts';

/** What the build, the test kernel and the tests use, beyond Node, npm and Go, on a minimal Debian 12. */
const packages = [
  // The native addon (node-gyp is written in Python) and the test kernel.
  'build-essential',
  'python3',
  'linux-source-6.12',
  'flex',
  'bison',
  'bc',
  'xz-utils',
  // What runs in the lab.
  'iproute2',
  'nftables',
  'ipvsadm',
  'conntrack',
  'iputils-ping',
  'curl',
  'procps',
  'util-linux',
  // /etc/protocols: without it nft names protocols by their numbers.
  'netbase',
  // Containers of the image.
  'runc',
  // The Go module proxy is asked by https.
  'ca-certificates',
] as const;

/** The Debian packages: installed when root, else named in one line. */
export const packagesStep: Step = debianPackages('Debian packages', packages);

/** A step for other packages, which only some runs need. */
export function debianPackages(title: string, names: readonly string[]): Step {
  return {
    title,
    isReady: async () => (await missingPackages(names)).length === 0,
    run: async (report) => {
      // Two apt-get at once take each other's downloads away, which its own lock does not prevent.
      return withLock(join(cacheRoot(), 'packages.lock'), () => install(names, report));
    },
  };
}

/** The installed version of a Debian package, or `undefined`. */
export async function packageVersion(name: string): Promise<string | undefined> {
  const versions = await installedPackages([name]);
  return versions.get(name);
}

async function install(names: readonly string[], report: (line: string) => void): Promise<string> {
  const missing = await missingPackages(names);
  if (missing.length === 0) return 'installed by another run';
  const command = ['apt-get', 'install', '-y', '--no-install-recommends', ...missing];
  if (process.getuid?.() !== 0) {
    throw new UnmetPrerequisiteError({
      expected: `the Debian packages ${names.join(' ')}`,
      found: `${missing.length} of them not installed`,
      next: `Run as root: apt-get update && ${command.join(' ')}`,
    });
  }
  await apt(['apt-get', 'update'], report);
  await apt(command, report);
  return `installed ${missing.join(' ')}`;
}

async function missingPackages(names: readonly string[]): Promise<readonly string[]> {
  const installed = await installedPackages(names);
  return names.filter((each) => !installed.has(each));
}

async function installedPackages(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const format = '${Package} ${Version} ${db:Status-Status}\\n';
  const { stdout, failed, code } = await execa('dpkg-query', ['-W', '-f', format, ...names], { reject: false });
  if (failed && code === 'ENOENT') {
    throw new UnmetPrerequisiteError({
      expected: 'a Debian 12 system',
      found: 'no dpkg-query',
      next: 'Run the tests on Debian 12, for example in a container.',
    });
  }
  const lines = stdout.split('\n').map((line) => line.split(' '));
  return new Map(
    lines.flatMap(([name, version, status]) => {
      return name !== undefined && version !== undefined && status === 'installed' ? [[name, version] as const] : [];
    }),
  );
}

async function apt(command: readonly string[], report: (line: string) => void): Promise<void> {
  const [file = '', ...args] = command;
  const child = execa(file, args, { all: true, reject: false, env: { DEBIAN_FRONTEND: 'noninteractive' } });
  for await (const line of child.iterable({ from: 'all' })) report(line);
  const { failed, all } = await child;
  if (failed) {
    throw new UnmetPrerequisiteError({
      expected: `"${command.join(' ')}" to succeed`,
      found: `this at its end:\n${all.split('\n').slice(-15).join('\n')}\n`,
      next: 'Correct the package sources (/etc/apt) or the network and run again.',
    });
  }
}
