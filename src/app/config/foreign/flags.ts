/** The flags of others that the command line knows besides sluice's own. */

import type { Flag } from '../flag.ts';
import { flags } from '../flags.ts';
import type { ArgumentSpecification } from '../read-arguments.ts';
import type { ForeignSetting } from './foreign-setting.ts';
import { kubeProxySettings } from './kube-proxy.ts';
import { kubeRouterSettings } from './kube-router.ts';

export const foreignSettings: readonly ForeignSetting[] = [...kubeProxySettings, ...kubeRouterSettings];

/** By name. */
export const ownFlags: ReadonlyMap<string, Flag> = new Map(flags.map((flag) => [flag.name, flag]));

const ownNames = new Set(flags.flatMap(({ name, aliases }) => [name, ...(aliases ?? [])]));

export interface ForeignFlag extends ArgumentSpecification {
  readonly setting: ForeignSetting;
}

export const foreignFlags: readonly ForeignFlag[] = foreignSettings.flatMap((setting) => {
  const { flag, short, type } = setting;
  if (flag === undefined || ownNames.has(flag)) {
    return [];
  }
  return [{ name: flag, ...(short === undefined ? {} : { short }), isSwitch: type === 'boolean', setting }];
});
