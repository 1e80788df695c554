/** The log: JSON lines by pino, or plain lines for people. Nothing from an object is written at length. */

import { pino } from 'pino';
import type { LogFormat, LogLevel } from './config/config.ts';

export interface Log {
  error(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  debug(fields: LogFields, message: string): void;
  trace(fields: LogFields, message: string): void;
}

/** An error goes under `err`. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface LogInput {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly destination: { write(text: string): unknown };
  /** Whether to colour the level; only in text. */
  readonly colours?: boolean;
}

/** Of any one text in a log line, in UTF-16 units: objects come from tenants, and a log is not theirs to fill. */
export const longestText = 512;
const longestList = 20;

/** Marks a value of a field that is written as it is: for what the administrator of the node wrote. */
export function whole(value: unknown): Whole {
  return new Whole(value);
}

class Whole {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

const deepest = 4;

export function makeLog({ level, format, destination, colours = false }: LogInput): Log {
  const write = format === 'json' ? destination.write.bind(destination) : textWriter(destination, colours);
  const logger = pino(
    {
      level,
      // The pid is always 1 in a pod and the host name is the collector's to add.
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: describeError },
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => void write(line) },
  );
  const at =
    (each: LogLevel) =>
    (fields: LogFields, message: string): void =>
      logger[each](shortenFields(fields), shortenText(message));
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug'), trace: at('trace') };
}

function shortenFields(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? value : fieldValue(value)]),
  );
}

function fieldValue(value: unknown): unknown {
  return value instanceof Whole ? value.value : shorten(value, deepest);
}

function shorten(value: unknown, depth: number): unknown {
  if (typeof value === 'string') {
    return shortenText(value);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (depth === 0) {
    return '…';
  }
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    const kept = items.slice(0, longestList).map((item) => shorten(item, depth - 1));
    return items.length > longestList ? [...kept, `… ${items.length - longestList} more`] : kept;
  }
  const entries = Object.entries(value);
  const kept = entries.slice(0, longestList).map(([name, item]) => [shortenText(name), shorten(item, depth - 1)]);
  return Object.fromEntries(entries.length > longestList ? [...kept, ['…', entries.length - longestList]] : kept);
}

function shortenText(text: string): string {
  return text.length > longestText ? `${text.slice(0, longestText)}… (${text.length})` : text;
}

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) {
    return error;
  }
  const { stack, ...described } = pino.stdSerializers.err(error);
  // Our own errors say all in their message; a stack is for faults of the program.
  const isFault = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  return shorten(isFault ? { ...described, stack: stack.slice(0, longestText) } : described, deepest);
}

const levelColours: Readonly<Record<string, string>> = {
  error: '\u001b[31m',
  warn: '\u001b[33m',
  info: '\u001b[32m',
  debug: '\u001b[2m',
  trace: '\u001b[2m',
};

function textWriter(destination: LogInput['destination'], colours: boolean): (line: string) => void {
  return (line) => {
    destination.write(`${textLine(JSON.parse(line), colours)}\n`);
  };
}

/** `2026-01-01T00:00:00.000Z info  message key=value`. */
function textLine(record: unknown, colours: boolean): string {
  const entries = new Map<string, unknown>(Object.entries(record ?? {}));
  const [level, time, msg] = ['level', 'time', 'msg'].map((name) => takeOut(entries, name));
  const name = String(level).padEnd(5);
  const shown = colours ? `${levelColours[String(level)] ?? ''}${name}\u001b[0m` : name;
  const rest = [...entries].map(([key, value]) => ` ${key}=${fieldText(key, value)}`);
  return `${String(time)} ${shown} ${oneLine(String(msg))}${rest.join('')}`;
}

function takeOut(entries: Map<string, unknown>, name: string): unknown {
  const value = entries.get(name);
  entries.delete(name);
  return value ?? '';
}

function fieldText(key: string, value: unknown): string {
  if (key === 'err' && typeof value === 'object' && value !== null && 'message' in value) {
    return JSON.stringify(value.message);
  }
  return typeof value === 'string' && /^[\w./:[\]-]+$/.test(value) ? value : JSON.stringify(value);
}

/** What comes from outside must not look like a log line of ours. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ');
}
