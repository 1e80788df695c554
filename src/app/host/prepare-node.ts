/**
 * `--init-only`: what takes more than NET_ADMIN. Modules and sysctls; not the VIP interface and the nftables table,
 * which the agent makes itself.
 */

import { release } from 'node:os';
import { schedulers } from '../../core/model/virtual-server.ts';
import { isKernelError } from '../../kernel/error.ts';
import { availableSchedulers } from '../../kernel/ipvs/scheduler-probe.ts';
import type { Config } from '../config/config.ts';
import type { Configuration } from '../config/parse-config.ts';
import { type Log, makeLog } from '../log.ts';
import { logWarnings } from '../log-warnings.ts';
import { applyHostSettings } from './apply-host.ts';
import { loadModules } from './load-modules.ts';
import { moduleAdvice } from './module-advice.ts';

export interface PreparationEnvironment {
  readonly stdout: { write(text: string): unknown; readonly isTTY: boolean };
  readonly version: string;
}

/** True when the agent can run after it with NET_ADMIN alone and finds what was asked for. */
export async function prepareNode(configuration: Configuration, environment: PreparationEnvironment): Promise<boolean> {
  const { config } = configuration;
  const { stdout, version } = environment;
  const log = makeLog({ level: config.logLevel, format: config.logFormat, destination: stdout, colours: stdout.isTTY });
  logWarnings(log, configuration.notices);
  await loadModules(config, log);
  const hasIpvs = checkIpvs(config, log);
  const { failed, hasTimeouts } = applyHostSettings(configuration, log);
  const isReady =
    hasIpvs && hasTimeouts && failed.every(({ setting }) => setting.weight !== 'needed' && setting.weight !== 'asked');
  if (isReady) {
    log.info({ version }, 'this node is prepared');
  } else {
    log.error({ version }, 'this node is not prepared: see the lines before');
  }
  return isReady;
}

/** Asking for IPVS and its schedulers makes the kernel load the modules too. */
function checkIpvs({ ipvsScheduler }: Config, log: Log): boolean {
  try {
    const available = availableSchedulers();
    const missing = schedulers.filter((scheduler) => !available.has(scheduler));
    if (missing.length > 0) {
      log.info({ missing }, 'this kernel lacks some schedulers; Services that ask for one are told');
    }
    if (!available.has(ipvsScheduler)) {
      log.error(
        { scheduler: ipvsScheduler },
        'this kernel lacks the default scheduler; choose another --ipvs-scheduler',
      );
    }
    return available.has(ipvsScheduler);
  } catch (error) {
    if (!isKernelError(error)) {
      throw error;
    }
    const remedy = error.code === 'EPERM' ? 'Run it as root, with all privileges' : moduleAdvice('ip_vs');
    log.error({ kernel: release(), err: error, remedy }, 'expected a kernel with IPVS that this process may use');
    return false;
  }
}
