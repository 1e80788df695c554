/** Splits a command line into flags and words. Reads what pflag reads: --flag=value, --flag value, --switch. */

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { nearest } from './nearest.ts';
import { type ConfigProblem, quote } from './problem.ts';

/** What must be known of a flag to split a command line. */
export interface ArgumentSpecification {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** One letter. */
  readonly short?: string;
  readonly isSwitch: boolean;
}

export interface ReadArguments {
  /** By the flag's own name; what was given, in order. A switch alone reads `true`. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly words: readonly string[];
  readonly problems: readonly ConfigProblem[];
}

export function readArguments(argv: readonly string[], known: readonly ArgumentSpecification[]): ReadArguments {
  const reading: Reading = { names: namesOf(known), values: new Map(), words: [], problems: [] };
  const { tokens } = parseArgs({ args: argv.map(withDashes), options: optionsOf(known), strict: false, tokens: true });
  let unknownAt = Number.NaN;
  for (const token of tokens) {
    if (token.kind === 'positional') {
      // What follows an unknown flag was meant as its value: one complaint is enough.
      if (token.index !== unknownAt + 1) {
        reading.words.push(token.value);
      }
    } else if (token.kind === 'option') {
      const isKnown = takeOption(reading, token);
      unknownAt = isKnown || token.inlineValue === true ? unknownAt : token.index;
    }
  }
  return reading;
}

/** kube-proxy and kube-router take `--cluster_cidr` too. */
function withDashes(argument: string): string {
  return argument.startsWith('--') ? argument.replace(/^[^=]*/, (name) => name.replaceAll('_', '-')) : argument;
}

interface Reading {
  /** Name, alias or letter → flag. */
  readonly names: ReadonlyMap<string, ArgumentSpecification>;
  readonly values: Map<string, string[]>;
  readonly words: string[];
  readonly problems: ConfigProblem[];
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function takeOption(reading: Reading, token: OptionToken): boolean {
  const flag = reading.names.get(token.name);
  if (flag === undefined) {
    reading.problems.push(unknownFlag(reading, token));
    return false;
  }
  const value = flag.isSwitch ? (token.value ?? 'true') : withoutSign(token);
  if (value === undefined || (token.inlineValue === false && isFlagOf(reading, value))) {
    const given = value === undefined ? 'nothing' : `another flag, ${quote(value)}`;
    const remedy = `Write ${token.rawName}=VALUE, or leave the flag out`;
    reading.problems.push({ flag: token.rawName, expected: 'a value', given, remedy });
  } else {
    reading.values.set(flag.name, [...(reading.values.get(flag.name) ?? []), value]);
  }
  return true;
}

/** `-v=2` as pflag reads it; Node takes the sign for a part of the value. */
function withoutSign({ rawName, value }: OptionToken): string | undefined {
  return rawName.startsWith('--') ? value : value?.replace(/^=/, '');
}

function unknownFlag(reading: Reading, token: OptionToken): ConfigProblem {
  const guess = nearest(token.name, [...reading.names.keys()]);
  return {
    flag: token.rawName,
    expected: 'a flag that sluice has',
    given: 'one that it has not',
    remedy: guess === undefined ? 'See sluice --help' : `Perhaps --${guess} was meant; see sluice --help`,
  };
}

function isFlagOf(reading: Reading, text: string): boolean {
  return text.startsWith('--') && reading.names.has(text.slice(2).split('=')[0] ?? '');
}

function namesOf(known: readonly ArgumentSpecification[]): ReadonlyMap<string, ArgumentSpecification> {
  return new Map(known.flatMap((flag) => [flag.name, ...(flag.aliases ?? [])].map((name) => [name, flag] as const)));
}

function optionsOf(known: readonly ArgumentSpecification[]): NonNullable<ParseArgsConfig['options']> {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const flag of known) {
    const type = flag.isSwitch ? 'boolean' : 'string';
    options[flag.name] = flag.short === undefined ? { type } : { type, short: flag.short };
    for (const alias of flag.aliases ?? []) {
      options[alias] = { type };
    }
  }
  return options;
}
