import { familyOf } from '../../core/address.ts';
import type { Config, ConfigKey } from './config.ts';
import { contradictions } from './contradictions.ts';
import { readConfigFile, unreadableFile } from './file/read-file.ts';
import type { ConfigDraft } from './flag.ts';
import { flags } from './flags.ts';
import { foreignFlags, foreignSettings, ownFlags } from './foreign/flags.ts';
import type { ForeignSetting } from './foreign/foreign-setting.ts';
import { readSetting } from './foreign/read-setting.ts';
import { makeConfig } from './make-config.ts';
import type { ConfigNotice } from './notice.ts';
import { type ConfigProblem, quote } from './problem.ts';
import { emptyReading, type Reading } from './reading.ts';

/** A configuration, and where it comes from. */
export interface Configuration {
  readonly config: Config;
  /** What was given rather than left to its default. */
  readonly given: ReadonlySet<ConfigKey>;
  /** For one warning each; see `warningsOf`. */
  readonly notices: readonly ConfigNotice[];
  /** The file of --config as it was read. */
  readonly file: { readonly path: string; readonly text: string } | undefined;
}

export type ParsedConfig =
  | ({ readonly ok: true } & Configuration)
  /** Everything that is wrong: the file, then the flags in the order of the table, then what does not go together. */
  | { readonly ok: false; readonly problems: readonly ConfigProblem[]; readonly notices: readonly ConfigNotice[] };

/** What was given for each flag, by the flag's own name, in order. */
export type FlagValues = ReadonlyMap<string, readonly string[]>;

/** Makes the configuration. `readText` reads a file and throws an Error when it cannot. */
export function parseConfig(values: FlagValues, readText: (path: string) => string): ParsedConfig {
  const reading = emptyReading();
  const file = openFile(reading, values, readText);
  if (file !== undefined) {
    readConfigFile(reading, file.path, file.text);
  }
  readOwnFlags(reading, values, file !== undefined);
  readForeignFlags(reading, values, file !== undefined);
  const { draft, notices } = reading;
  const config = makeConfig({ ...defaultsOf(draft), ...draft });
  const together = contradictions(config).map((problem) => (file === undefined ? problem : inFile(problem)));
  const problems = [...reading.problems, ...together];
  const given = new Set(flags.map(({ key }) => key).filter((key) => key in draft));
  return problems.length === 0 ? { ok: true, config, given, notices, file } : { ok: false, problems, notices };
}

/** kube-proxy's (pkg/proxy/apis/config/v1alpha1/defaults.go): on an IPv6 node nobody asks over IPv4. */
function defaultsOf({ bindAddress }: ConfigDraft): ConfigDraft {
  return bindAddress === undefined || familyOf(bindAddress) === 'IPv4'
    ? {}
    : { healthzBindAddress: { address: '::', port: 10_256 }, metricsBindAddress: { address: '::1', port: 10_249 } };
}

/** The reader of a file knows the field rather than the flag. */
function inFile(problem: ConfigProblem): ConfigProblem {
  const isAsked = ({ field, meaning }: ForeignSetting): boolean =>
    field !== undefined && meaning.kind === 'honoured' && `--${meaning.flag}` === problem.flag;
  const { field } = foreignSettings.find(isAsked) ?? {};
  return field === undefined ? problem : { ...problem, flag: `${field} (${problem.flag})` };
}

function openFile(reading: Reading, values: FlagValues, readText: (path: string) => string): Configuration['file'] {
  const path = values.get('config')?.at(-1) ?? '';
  if (path === '') {
    return undefined;
  }
  try {
    return { path, text: readText(path) };
  } catch (error) {
    reading.problems.push(unreadableFile(path, error));
    return undefined;
  }
}

function readOwnFlags(reading: Reading, values: FlagValues, hasFile: boolean): void {
  for (const flag of flags) {
    const texts = values.get(flag.name);
    if (texts !== undefined) {
      const isOverridden = hasFile && fieldKeys.has(flag.key);
      const problem = flag.read(texts, isOverridden ? {} : reading.draft);
      if (problem !== undefined) {
        reading.problems.push(problem);
      } else if (isOverridden) {
        reading.notices.push(overridden(flag.name));
      }
    }
  }
}

function readForeignFlags(reading: Reading, values: FlagValues, hasFile: boolean): void {
  for (const { name, setting } of foreignFlags) {
    const text = values.get(name)?.at(-1);
    if (text === undefined) {
      continue;
    }
    const { meaning } = setting;
    const own = meaning.kind === 'honoured' ? ownFlags.get(meaning.flag) : undefined;
    const isOverridden = hasFile && own !== undefined && fieldKeys.has(own.key);
    const before = reading.problems.length;
    readSetting(isOverridden ? { ...reading, draft: {} } : reading, { setting, name: `--${name}`, text }, ownFlags);
    if (reading.problems.length > before) {
      continue;
    }
    if (isOverridden) {
      reading.notices.push(overridden(name));
    } else if (meaning.kind === 'honoured' && !meaning.isPart && values.has(meaning.flag)) {
      reading.problems.push(givenTwice(name, text, meaning.flag));
    }
  }
}

/** What the file decides alone. As with kube-proxy, the node's name and the log may be chosen beside it. */
const fieldKeys: ReadonlySet<ConfigKey> = new Set(
  foreignSettings.flatMap(({ field, meaning }) => {
    const own = field !== undefined && meaning.kind === 'honoured' ? ownFlags.get(meaning.flag) : undefined;
    return own === undefined || ['hostnameOverride', 'logLevel', 'logFormat'].includes(own.key) ? [] : [own.key];
  }),
);

function overridden(name: string): ConfigNotice {
  return { kind: 'overridden', name: `--${name}`, why: 'the file has a field for it' };
}

function givenTwice(name: string, text: string, other: string): ConfigProblem {
  return {
    flag: `--${name}`,
    expected: 'one flag for one setting',
    given: `${quote(text)} and also --${other}`,
    remedy: `Leave out --${name} or --${other}`,
  };
}
