/**
 * Small readers of JSON whose shape is not known. An absent value and null are the same, as in the API's own decoder;
 * a value of the wrong type makes the object malformed, because nobody can say what was meant.
 */

export type JsonObject = Readonly<Record<string, unknown>>;

/** Thrown by the readers, caught where a whole object is projected. */
export class MalformedError extends Error {
  /** Path of the field: `spec.ports[1].port`. */
  readonly subject: string;
  /** What stood there, cut short. */
  readonly found: string;
  readonly expected: string;

  constructor(subject: string, found: unknown, expected: string) {
    super(`${subject}: expected ${expected}`);
    this.name = 'MalformedError';
    this.subject = subject;
    this.found = excerpt(found);
    this.expected = expected;
  }
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function requireObject(value: unknown, subject: string): JsonObject {
  if (!isJsonObject(value)) {
    throw new MalformedError(subject, value, 'an object');
  }
  return value;
}

/** Empty when absent. */
export function readObject(value: unknown, subject: string): JsonObject {
  return isAbsent(value) ? emptyObject : requireObject(value, subject);
}

/** Empty when absent. */
export function readList(value: unknown, subject: string): readonly unknown[] {
  if (isAbsent(value)) {
    return emptyList;
  }
  if (!Array.isArray(value)) {
    throw new MalformedError(subject, value, 'a list');
  }
  return value;
}

export function readString(value: unknown, subject: string): string | undefined {
  if (typeof value === 'string') {
    return value;
  }
  if (isAbsent(value)) {
    return undefined;
  }
  throw new MalformedError(subject, value, 'a string');
}

/** Undefined for '' too: in the API an empty name is no name. */
export function readName(value: unknown, subject: string): string | undefined {
  const text = readString(value, subject);
  return text === '' ? undefined : text;
}

export function requireName(value: unknown, subject: string): string {
  const name = readName(value, subject);
  if (name === undefined) {
    throw new MalformedError(subject, value, 'a name');
  }
  return name;
}

export function readNumber(value: unknown, subject: string): number | undefined {
  if (typeof value === 'number') {
    return value;
  }
  if (isAbsent(value)) {
    return undefined;
  }
  throw new MalformedError(subject, value, 'a number');
}

export function readBoolean(value: unknown, subject: string): boolean | undefined {
  if (typeof value === 'boolean') {
    return value;
  }
  if (isAbsent(value)) {
    return undefined;
  }
  throw new MalformedError(subject, value, 'true or false');
}

/** What stood there, for people: at most 64 printable characters, so that no object's content floods a log. */
export function excerpt(value: unknown): string {
  const text = textOf(value)
    .slice(0, longestExcerpt + 1)
    .replaceAll(/\p{Cc}/gu, '?');
  return text.length > longestExcerpt ? `${text.slice(0, longestExcerpt - 1)}…` : text;
}

const longestExcerpt = 64;
const emptyObject: JsonObject = Object.freeze({});
const emptyList: readonly unknown[] = Object.freeze([]);

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

function textOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'boolean':
      return String(value);
    case 'undefined':
      return 'nothing';
    default:
      return nameOfObject(value);
  }
}

function nameOfObject(value: unknown): string {
  if (value === null) {
    return 'null';
  }
  return Array.isArray(value) ? 'a list' : 'an object';
}
