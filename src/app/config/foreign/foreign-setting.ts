import type { Meaning } from './meaning.ts';

/** What is written as the value, in a flag and in the file. */
export const settingTypes = [
  'boolean',
  'integer',
  'number',
  'string',
  'duration',
  'strings',
  'switches',
  'anything',
] as const;

/** `switches` is a map of names to true or false; on the command line `A=true,B=false`. */
export type SettingType = (typeof settingTypes)[number];

/** A setting that kube-proxy or kube-router has, as a flag, as a field of the configuration file, or both. */
export interface ForeignSetting {
  readonly program: 'kube-proxy' | 'kube-router';
  /** Without dashes. It may be one that sluice has too; then sluice's own table says the rest. */
  readonly flag?: string;
  /** One letter. */
  readonly short?: string;
  /** In KubeProxyConfiguration, with dots. */
  readonly field?: string;
  /** Whether 0 in the file is a value of its own rather than "not given" (a pointer in kube-proxy's type). */
  readonly zeroCounts?: boolean;
  /** The field counts only when `mode` is nftables, or only when it is not. */
  readonly countsIn?: 'nftables' | 'other modes';
  readonly type: SettingType;
  readonly meaning: Meaning;
}
