/** The command line as a decision: what to do, with which configuration. */

import { flags } from '../app/config/flags.ts';
import { foreignFlags } from '../app/config/foreign/flags.ts';
import { nearest } from '../app/config/nearest.ts';
import type { ConfigNotice } from '../app/config/notice.ts';
import { type Configuration, type ParsedConfig, parseConfig } from '../app/config/parse-config.ts';
import { type ConfigProblem, quote } from '../app/config/problem.ts';
import { type ReadArguments, readArguments } from '../app/config/read-arguments.ts';
import { manifestPathProblems, sortManifestFlags } from '../app/manifest.ts';
import type { Packet } from '../core/trace/packet.ts';
import {
  type CommandName,
  commandNames,
  commands,
  helpFlag,
  isCommandName,
  type MigrationStep,
  migrationSteps,
  versionFlag,
} from './commands.ts';
import { type GivenPlace, parsePlace } from './manifest-place.ts';
import { parsePacket } from './packet-words.ts';

export type OutputFormat = 'text' | 'json';

export type Invocation =
  /** Of one command, or of all. */
  | { readonly kind: 'help'; readonly command: CommandName | undefined }
  | { readonly kind: 'version' }
  | ({ readonly kind: 'run' | 'prepare' } & Configuration)
  | ({ readonly kind: 'plan' | 'cleanup'; readonly output: OutputFormat } & Configuration)
  | ({
      readonly kind: 'migrate';
      readonly output: OutputFormat;
      readonly step: MigrationStep;
      readonly whileRunning: boolean;
    } & Configuration)
  | ({ readonly kind: 'manifest'; readonly output: OutputFormat; readonly place: GivenPlace } & Configuration)
  | ({ readonly kind: 'trace'; readonly output: OutputFormat; readonly packet: Packet } & Configuration)
  | {
      readonly kind: 'problems';
      readonly problems: readonly ConfigProblem[];
      readonly notices: readonly ConfigNotice[];
    };

/** `readText` reads the configuration file and throws an Error when it cannot. */
export function parseInvocation(argv: readonly string[], readText: (path: string) => string): Invocation {
  // Every command accepts the flags of all, so that the arguments of the DaemonSet fit each of them.
  const read = readArguments(argv, [...flags, ...foreignFlags, ...commandFlags]);
  const [word, ...others] = read.words;
  const command = word !== undefined && isCommandName(word) ? word : undefined;
  const hasOperands = command === 'trace' || command === 'migrate';
  const problems = [...wordProblems(word, hasOperands ? [] : others), ...read.problems];
  if (isSet(read, helpFlag.name)) {
    return { kind: 'help', command };
  }
  if (problems.length === 0 && (command === 'version' || isSet(read, versionFlag.name))) {
    return { kind: 'version' };
  }
  const packet = command === 'trace' ? parsePacket(others) : undefined;
  const step = command === 'migrate' ? parseStep(others) : undefined;
  const whileRunning = isSet(read, 'while-running');
  const place = command === 'manifest' ? parsePlace(read.values) : undefined;
  const sorted = command === 'manifest' ? sortManifestFlags(read.values) : { problems: [], others: read.values };
  const output = outputFormat(read.values.get('output')?.at(-1) ?? 'text');
  return configured(parseConfig(sorted.others, readText), {
    command: command ?? 'run',
    packet,
    step,
    whileRunning,
    place,
    output,
    problems: [...problems, ...sorted.problems],
  });
}

const commandFlags = [...new Set([helpFlag, versionFlag, ...commandNames.flatMap((name) => commands[name].flags)])];

interface Asked {
  readonly command: CommandName;
  readonly packet: ReturnType<typeof parsePacket> | undefined;
  readonly step: MigrationStep | ConfigProblem | undefined;
  readonly whileRunning: boolean;
  readonly place: GivenPlace | readonly ConfigProblem[] | undefined;
  readonly output: OutputFormat | ConfigProblem;
  /** What is wrong with the words and with flags that are none. */
  readonly problems: readonly ConfigProblem[];
}

function configured(parsed: ParsedConfig, asked: Asked): Invocation {
  const { command, packet, step, whileRunning, place, output, problems: before } = asked;
  const problems = [
    ...before,
    ...(packet === undefined || 'protocol' in packet ? [] : packet),
    ...(typeof step === 'object' ? [step] : []),
    ...(place === undefined || 'namespace' in place ? [] : place),
    ...(parsed.ok ? [] : parsed.problems),
    ...(command === 'manifest' && parsed.ok ? manifestPathProblems(parsed.config) : []),
    ...(typeof output === 'string' ? [] : [output]),
  ];
  if (!parsed.ok || typeof output !== 'string' || problems.length > 0) {
    return { kind: 'problems', problems, notices: parsed.notices };
  }
  const { ok: _ok, ...configuration } = parsed;
  const { cleanup, initOnly } = configuration.config;
  if (packet !== undefined && 'protocol' in packet) {
    return { kind: 'trace', output, packet, ...configuration };
  }
  if (typeof step === 'string') {
    return { kind: 'migrate', output, step, whileRunning, ...configuration };
  }
  if (place !== undefined && 'namespace' in place) {
    return { kind: 'manifest', output, place, ...configuration };
  }
  if (command === 'plan') {
    return { kind: 'plan', output, ...configuration };
  }
  if (command === 'cleanup' || cleanup) {
    return { kind: 'cleanup', output, ...configuration };
  }
  return { kind: initOnly ? 'prepare' : 'run', ...configuration };
}

function isSet(read: ReadArguments, name: string): boolean {
  return read.values.get(name)?.at(-1) === 'true';
}

function parseStep(words: readonly string[]): MigrationStep | ConfigProblem {
  const step = migrationSteps.find((each) => words.length === 1 && each === words[0]);
  return (
    step ?? {
      flag: 'sluice migrate',
      expected: `one of ${migrationSteps.join(', ')}`,
      given: words.length === 0 ? 'nothing' : quote(words.join(' ')),
      remedy: 'Begin with sluice migrate plan, which changes nothing',
    }
  );
}

function outputFormat(text: string): OutputFormat | ConfigProblem {
  if (text === 'text' || text === 'json') {
    return text;
  }
  return { flag: '--output', expected: 'text or json', given: quote(text), remedy: 'Write -o text or -o json' };
}

function wordProblems(word: string | undefined, others: readonly string[]): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (word !== undefined && !isCommandName(word)) {
    const guess = nearest(word, commandNames);
    problems.push({
      flag: 'sluice',
      expected: `a command: ${commandNames.join(', ')}`,
      given: quote(word),
      remedy: guess === undefined ? 'See sluice --help' : `Perhaps ${guess} was meant`,
    });
  }
  for (const other of others) {
    const remedy = 'Remove it, or write --flag=value if it is the value of a switch';
    problems.push({ flag: 'sluice', expected: 'flags after the command', given: quote(other), remedy });
  }
  return problems;
}
