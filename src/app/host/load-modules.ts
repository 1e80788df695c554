/** The kernel modules that sluice uses, loaded with modprobe where there is one. */

import { execa } from 'execa';
import { schedulers } from '../../core/model/virtual-server.ts';
import type { Config } from '../config/config.ts';
import type { Log } from '../log.ts';

/** What is missing is told; whether that matters is seen when the kernel is asked for what the module does. */
export async function loadModules(
  { directReturn }: Pick<Config, 'directReturn'>,
  log: Log,
  program = 'modprobe',
): Promise<void> {
  const failed: Record<string, string> = {};
  for (const module of directReturn ? [...modules, ...tunnelModules] : modules) {
    const result = await execa(program, [module], { reject: false });
    if (result.code === 'ENOENT') {
      log.info({ program }, 'no modprobe here: the kernel loads what it can by itself');
      return;
    }
    if (result.failed) {
      failed[module] = result.stderr?.trim() ?? result.shortMessage;
    }
  }
  if (Object.keys(failed).length > 0) {
    log.info({ failed }, 'some modules cannot be loaded; they are built in, or this kernel has them not');
  }
}

const modules: readonly string[] = [
  'nf_conntrack',
  'nf_conntrack_netlink',
  'nf_tables',
  'dummy',
  'ip_vs',
  ...schedulers.map((scheduler) => `ip_vs_${scheduler}`),
];

/** The kernel loads the first two by itself when a device is made, but not fou, which GUE needs. */
const tunnelModules: readonly string[] = ['ipip', 'ip6_tunnel', 'fou'];
