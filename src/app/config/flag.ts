import type { Config, ConfigKey } from './config.ts';
import { makeConfig } from './make-config.ts';
import { type ConfigProblem, quote } from './problem.ts';
import type { ValueKind } from './value-kinds.ts';

/** Headings of the help, in order. */
export const flagGroups = [
  'Configuration file',
  'Where Services come from',
  'This node',
  'Load balancing',
  'VIPs',
  'Masquerade and marks',
  'Direct server return',
  'Settings of the host',
  'Watching sluice',
  'Instead of running',
] as const;

export type FlagGroup = (typeof flagGroups)[number];

/** Whose flag it was first: name and meaning are theirs. */
export type FlagOrigin = 'kube-proxy' | 'kube-router' | 'kube-proxy, kube-router' | 'sluice';

export interface FlagText {
  /** Without dashes. */
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly group: FlagGroup;
  readonly origin: FlagOrigin;
  /** One to three sentences for an operator. */
  readonly help: string;
}

export type ConfigDraft = { -readonly [Key in ConfigKey]?: Config[Key] };

/** A flag of the table, with its type closed over. */
export interface Flag extends FlagText {
  readonly key: ConfigKey;
  readonly placeholder: string;
  readonly isSwitch: boolean;
  /** As it would be written on the command line; '' for none. */
  readonly defaultText: string;
  /** Reads what was given, in order, into the draft, or says what is wrong. */
  readonly read: (texts: readonly string[], draft: ConfigDraft) => ConfigProblem | undefined;
  /** This setting of a configuration, as it would be written on the command line. */
  readonly show: (config: Config) => string;
}

export function flag<Key extends ConfigKey>(key: Key, kind: ValueKind<Config[Key]>, text: FlagText): Flag {
  return {
    ...text,
    key,
    placeholder: kind.placeholder,
    isSwitch: kind.placeholder === '',
    defaultText: kind.format(makeConfig()[key]),
    read: (texts, draft) => {
      const given = kind.isList ? texts.join(',') : (texts.at(-1) ?? '');
      const parsed = kind.parse(given);
      if (!parsed.ok) {
        return { flag: `--${text.name}`, expected: kind.expected, given: quote(given), remedy: parsed.remedy };
      }
      draft[key] = parsed.value;
      return undefined;
    },
    show: (config) => kind.format(config[key]),
  };
}
