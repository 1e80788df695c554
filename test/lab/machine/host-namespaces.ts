import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { commandScript, type LabCommand, type LabOptions } from './command.ts';

/** Prepared inside the fresh namespaces, before the command. `/run/netns` must not be the host's. */
const preparation = `
mount --make-rprivate /
mount -t sysfs sysfs /sys
[ -d /sys/fs/cgroup ] && mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs /run
hostname lab
ip link set lo up
for family in ip ip6 arp; do
  switch=/proc/sys/net/bridge/bridge-nf-call-\${family}tables
  [ ! -e "$switch" ] || echo 0 >"$switch"
done
`;

let usable: Promise<boolean> | undefined;

/** Whether the host's own kernel has what the tests need, and we may use it. Asked once. */
export function isHostKernelUsable(): Promise<boolean> {
  usable ??= tryHostKernel();
  return usable;
}

async function tryHostKernel(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  await execa('modprobe', ['-a', 'ip_vs', 'nf_tables', 'nf_conntrack', 'dummy', 'sctp'], { reject: false });
  if (!existsSync('/proc/net/ip_vs')) return false;
  const trial = 'ip link add trial type dummy && ipvsadm -Ln && nft list ruleset';
  const { failed } = await execa('unshare', ['--net', '--mount', 'sh', '-c', trial], { reject: false });
  return !failed;
}

/** Runs the command in fresh network, mount, process and host-name namespaces of the host; returns its exit status. */
export async function runInHostNamespaces(command: LabCommand, options: LabOptions): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-lab-'));
  try {
    const script = join(folder, 'command.sh');
    const results = options.results ?? folder;
    options.onStart?.(results);
    await writeFile(script, `${preparation}${commandScript(command, results)}`);
    const unshare = ['--net', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const child = spawn('unshare', [...unshare, 'sh', script], {
      stdio: [
        'inherit',
        options.onOutput === undefined ? 'inherit' : 'pipe',
        options.onOutput === undefined ? 'inherit' : 'pipe',
      ],
    });
    child.stdout?.on('data', (chunk: Buffer) => options.onOutput?.(chunk));
    child.stderr?.on('data', (chunk: Buffer) => options.onOutput?.(chunk));
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, options.timeLimitSeconds * 1000);
    const [code] = (await once(child, 'close')) as [number | null];
    clearTimeout(timer);
    if (timedOut) console.error(`lab: ended after its time limit of ${options.timeLimitSeconds} s`);
    return timedOut ? 124 : (code ?? 125);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
