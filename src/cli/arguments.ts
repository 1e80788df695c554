/** The command line as a decision: what to do, with which configuration. */

import type { Config } from '../app/config/config.ts';
import { flags } from '../app/config/flags.ts';
import { nearest } from '../app/config/nearest.ts';
import { parseConfig } from '../app/config/parse-config.ts';
import { type ConfigProblem, quote } from '../app/config/problem.ts';
import { type ReadArguments, readArguments } from '../app/config/read-arguments.ts';
import type { Packet } from '../core/trace/packet.ts';
import { type CommandName, commandNames, commands, helpFlag, isCommandName, versionFlag } from './commands.ts';
import { parsePacket } from './packet-words.ts';

export type OutputFormat = 'text' | 'json';

export type Invocation =
  /** Of one command, or of all. */
  | { readonly kind: 'help'; readonly command: CommandName | undefined }
  | { readonly kind: 'version' }
  | { readonly kind: 'run'; readonly config: Config }
  | { readonly kind: 'plan' | 'cleanup'; readonly config: Config; readonly output: OutputFormat }
  | { readonly kind: 'trace'; readonly config: Config; readonly output: OutputFormat; readonly packet: Packet }
  | { readonly kind: 'problems'; readonly problems: readonly ConfigProblem[] };

export function parseInvocation(argv: readonly string[]): Invocation {
  // Every command accepts the flags of all, so that the arguments of the DaemonSet fit each of them.
  const read = readArguments(argv, [...flags, ...commandFlags]);
  const [word, ...others] = read.words;
  const command = word !== undefined && isCommandName(word) ? word : undefined;
  const operands = command === 'trace' ? others : [];
  const problems = [...wordProblems(word, command === 'trace' ? [] : others), ...read.problems];
  if (isSet(read, helpFlag.name)) {
    return { kind: 'help', command };
  }
  if (problems.length === 0 && (command === 'version' || isSet(read, versionFlag.name))) {
    return { kind: 'version' };
  }
  return configured({ command: command ?? 'run', operands }, read, problems);
}

const commandFlags = [...new Set([helpFlag, versionFlag, ...commandNames.flatMap((name) => commands[name].flags)])];

interface Asked {
  readonly command: CommandName;
  readonly operands: readonly string[];
}

function configured({ command, operands }: Asked, read: ReadArguments, before: readonly ConfigProblem[]): Invocation {
  const parsed = parseConfig(read.values);
  const output = outputFormat(read.values.get('output')?.at(-1) ?? 'text');
  const packet = command === 'trace' ? parsePacket(operands) : [];
  const problems = [
    ...before,
    ...('protocol' in packet ? [] : packet),
    ...(parsed.ok ? [] : parsed.problems),
    ...(typeof output === 'string' ? [] : [output]),
  ];
  if (!parsed.ok || typeof output !== 'string' || problems.length > 0) {
    return { kind: 'problems', problems };
  }
  const { config } = parsed;
  if ('protocol' in packet) {
    return { kind: 'trace', config, output, packet };
  }
  if (command === 'plan') {
    return { kind: 'plan', config, output };
  }
  return command === 'cleanup' || config.cleanup ? { kind: 'cleanup', config, output } : { kind: 'run', config };
}

function isSet(read: ReadArguments, name: string): boolean {
  return read.values.get(name)?.at(-1) === 'true';
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
