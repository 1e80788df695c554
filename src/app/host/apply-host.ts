/** The host's settings at the start of the agent and in --init-only: put in force, and told. */

import { cpus } from 'node:os';
import type { Configuration } from '../config/parse-config.ts';
import type { Log } from '../log.ts';
import { ensureSettings, type HostFiles, openHostFiles, type SettingFailure } from './ensure-settings.ts';
import { type HostSetting, hostSettings } from './host-settings.ts';
import { ensureIpvsTimeouts } from './ipvs-timeouts.ts';

export interface HostResult {
  /** What could not be set. */
  readonly failed: readonly SettingFailure[];
  readonly hasTimeouts: boolean;
}

export function applyHostSettings(
  { config, given }: Configuration,
  log: Log,
  files: HostFiles = openHostFiles(),
): HostResult {
  const report = ensureSettings(files, hostSettings(config, given, cpus().length));
  for (const change of report.changed) {
    log.info(change, 'setting of the host changed');
  }
  for (const failure of report.failed) {
    tell(log, failure);
  }
  return { failed: report.failed, hasTimeouts: ensureIpvsTimeouts(config, { log, sysctls: files.sysctl }) };
}

/** Throws an Error that lists what was asked for and is not in force: going on would hide it. */
export function requireAsked({ failed }: HostResult): void {
  const asked = failed.filter(({ setting }) => setting.weight === 'asked');
  if (asked.length > 0) {
    const list = asked.map(({ setting: { key, value }, found, error, remedy }) => {
      return `expected ${key}=${value}, found ${found ?? 'no such setting'} (${error}). ${remedy}`;
    });
    throw new Error(`settings of the host that the configuration asks for cannot be set:\n${list.join('\n')}`);
  }
}

function tell(log: Log, { setting, found, error, remedy }: SettingFailure): void {
  const { key, value, why } = setting;
  const fields = { key, value, found, error, why, remedy };
  log[levels[setting.weight]](fields, 'a setting of the host is not as it should be and cannot be changed from here');
}

const levels: Readonly<Record<HostSetting['weight'], 'error' | 'warn' | 'info'>> = {
  needed: 'error',
  asked: 'error',
  usual: 'warn',
  wish: 'info',
};
