/** The value of a field, as the text that a flag would take. */

import type { SettingType } from '../foreign/foreign-setting.ts';
import { quote } from '../problem.ts';

export type FieldValue =
  /** Left to its default: null, or the zero of its type. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'wrong'; readonly expected: string; readonly given: string; readonly remedy: string };

/** `zeroCounts`: 0 is a value like others; only null leaves the field to its default. */
export function readFieldValue(value: unknown, type: SettingType, zeroCounts: boolean): FieldValue {
  if (value === null || value === undefined) {
    return absent;
  }
  if (!isOfType(value, type)) {
    return { kind: 'wrong', expected: expectations[type], given: describe(value), remedy: mend(value, type) };
  }
  // In a map of switches false is what somebody chose.
  if (type === 'switches' ? textOf(value) === '' : isZero(value) && !(zeroCounts && value !== '')) {
    return absent;
  }
  return { kind: 'text', text: textOf(value) };
}

const absent: FieldValue = { kind: 'absent' };

const expectations: Readonly<Record<SettingType, string>> = {
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  string: 'a string',
  duration: 'a duration such as "30s"',
  strings: 'a list of strings',
  switches: 'a map of names to true or false',
  anything: 'anything',
};

function isOfType(value: unknown, type: SettingType): boolean {
  switch (type) {
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
      return Number.isSafeInteger(value);
    case 'number':
      return typeof value === 'number' && Number.isFinite(value);
    case 'string':
    case 'duration':
      return typeof value === 'string';
    case 'strings':
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
    case 'switches':
      return isMap(value) && Object.values(value).every((item) => typeof item === 'boolean');
    case 'anything':
      return true;
  }
}

/** What a default configuration that was written out in full has where nobody chose: deep down nothing but zeros. */
function isZero(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) {
    return Object.values(value).every(isZero);
  }
  return value === null || value === false || value === 0 || value === '' || value === '0' || value === '0s';
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) {
    return value.join(',');
  }
  if (isMap(value)) {
    const entries = Object.entries(value);
    return entries.map(([name, item]) => `${name}=${typeof item === 'boolean' ? String(item) : '…'}`).join(',');
  }
  return String(value);
}

export function describe(value: unknown): string {
  if (Array.isArray(value)) {
    return 'a list';
  }
  switch (typeof value) {
    case 'string':
      return `the string ${quote(value)}`;
    case 'number':
      return `the number ${value}`;
    case 'boolean':
      return String(value);
    default:
      return 'a map';
  }
}

function mend(value: unknown, type: SettingType): string {
  if (type === 'duration' && typeof value === 'number') {
    return `Write it with a unit: "${value}s"`;
  }
  if (type === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
    return `Put it in quotes: "${String(value)}"`;
  }
  if (type === 'strings' && typeof value === 'string') {
    return 'Write it as a list, in brackets';
  }
  const isQuoted = typeof value === 'string' && (type === 'integer' || type === 'number' || type === 'boolean');
  return isQuoted ? 'Take the quotes away' : 'Correct its type';
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
