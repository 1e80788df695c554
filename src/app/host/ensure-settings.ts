/** Puts settings of the host in force. Only what differs is written; what cannot be written is reported. */

import { isKernelError } from '../../kernel/error.ts';
import type { SysctlPort } from '../../kernel/ports.ts';
import { openSysctl } from '../../kernel/sysctl/open-sysctl.ts';
import type { HostSetting } from './host-settings.ts';

/** Each place is a folder with a file for each value. */
export type HostFiles = Readonly<Record<HostSetting['place'], SysctlPort>>;

export function openHostFiles(): HostFiles {
  return {
    sysctl: openSysctl(),
    'conntrack-module': openSysctl('/sys/module/nf_conntrack/parameters'),
    process: openSysctl('/proc/self'),
  };
}

export interface SettingFailure {
  readonly setting: HostSetting;
  /** Undefined: there is no such setting. */
  readonly found: string | undefined;
  readonly error: string;
  /** What helps, as an imperative sentence without its full stop. */
  readonly remedy: string;
}

export interface SettingsReport {
  readonly changed: readonly { readonly key: string; readonly from: string; readonly to: string }[];
  readonly failed: readonly SettingFailure[];
}

export function ensureSettings(files: HostFiles, settings: readonly HostSetting[]): SettingsReport {
  const changed: { key: string; from: string; to: string }[] = [];
  const failed: SettingFailure[] = [];
  for (const setting of settings) {
    const { key, value, place } = setting;
    let found: string | undefined;
    try {
      found = files[place].read(key);
      if (!suits(found, setting)) {
        files[place].write(key, value);
        changed.push({ key, from: found ?? '', to: value });
      }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      failed.push({ setting, found, error: message, remedy: remedyFor(setting, error) });
    }
  }
  return { changed, failed };
}

function suits(found: string | undefined, { value, isMinimum }: HostSetting): boolean {
  return found === value || (isMinimum === true && found !== undefined && Number(found) >= Number(value));
}

function remedyFor(setting: HostSetting, error: unknown): string {
  const code = isKernelError(error) ? error.code : undefined;
  if (code === 'ENOENT') {
    const module = setting.key.startsWith('net.ipv4.vs.') ? 'ip_vs' : 'nf_conntrack';
    return `Load the module that has it: modprobe ${module}`;
  }
  if (code === 'EINVAL' || code === 'ERANGE') {
    return 'Choose a value that this kernel takes';
  }
  switch (setting.place) {
    case 'sysctl':
      return `Set it on the node (sysctl -w ${setting.key}=${setting.value}), or run sluice run --init-only there with all privileges`;
    case 'conntrack-module':
      return `Set it on the node (options nf_conntrack hashsize=${setting.value} in /etc/modprobe.d), or run sluice run --init-only there with all privileges`;
    case 'process':
      return 'Give the process the capability SYS_RESOURCE, or let the kubelet choose by the priority class of the pod';
  }
}
