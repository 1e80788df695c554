/** kube-proxy's KubeProxyConfiguration → settings, each honoured, ignored or refused as the table says. */

import { foreignSettings, ownFlags } from '../foreign/flags.ts';
import type { ForeignSetting } from '../foreign/foreign-setting.ts';
import { readSetting } from '../foreign/read-setting.ts';
import { nearest } from '../nearest.ts';
import { type ConfigProblem, quote } from '../problem.ts';
import type { Reading } from '../reading.ts';
import { describe, isMap, readFieldValue } from './field-value.ts';
import { parseDocument } from './parse-document.ts';

const apiVersion = 'kubeproxy.config.k8s.io/v1alpha1';
const kind = 'KubeProxyConfiguration';

/** Reads the content of the file at `path`, which is only named. Never throws. */
export function readConfigFile(reading: Reading, path: string, text: string): void {
  const document = parseDocument(text);
  if (!document.ok) {
    const given = `${document.message} in line ${document.line}`;
    reading.problems.push({ flag: path, expected: 'one document of YAML or JSON', given, remedy: 'Correct the file' });
    return;
  }
  const { value, duplicates, lineOf } = document;
  if (!isMap(value)) {
    const given = describe(value);
    reading.problems.push({ flag: path, expected: `a ${kind}`, given, remedy: 'Give the file of kube-proxy' });
    return;
  }
  const file: File = { reading, locate: (names) => `${path}:${lineOf(names)} ${names.join('.')}`, mode: modeOf(value) };
  checkType(file, value);
  for (const field of duplicates) {
    reading.notices.push({ kind: 'duplicate-field', name: field, why: 'given more than once; the last one counts' });
  }
  readMap(file, value, []);
}

interface File {
  readonly reading: Reading;
  /** How messages name a field. */
  readonly locate: (names: readonly string[]) => string;
  readonly mode: string;
}

const fields: ReadonlyMap<string, ForeignSetting> = new Map(
  foreignSettings.flatMap((setting) => (setting.field === undefined ? [] : [[setting.field, setting]])),
);

/** Fields that hold fields. */
const groups: ReadonlySet<string> = new Set(
  [...fields.keys()].flatMap((field) => {
    const names = field.split('.');
    return names.slice(1).map((_, index) => names.slice(0, index + 1).join('.'));
  }),
);

const typeFields: readonly (readonly [name: string, value: string])[] = [
  ['apiVersion', apiVersion],
  ['kind', kind],
];

function checkType({ reading, locate }: File, value: Readonly<Record<string, unknown>>): void {
  for (const [name, expected] of typeFields) {
    const found = value[name];
    if (found !== expected) {
      const given = found === undefined ? 'nothing' : describe(found);
      reading.problems.push({ flag: locate([name]), expected, given, remedy: `Write ${name}: ${expected}` });
    }
  }
}

function readMap(file: File, map: Readonly<Record<string, unknown>>, above: readonly string[]): void {
  for (const [name, value] of Object.entries(map)) {
    const names = [...above, name];
    const path = names.join('.');
    const setting = fields.get(path);
    if (setting !== undefined) {
      readField(file, { setting, names, value });
    } else if (groups.has(path)) {
      readGroup(file, names, value);
    } else if (above.length > 0 || !typeFields.some(([field]) => field === name)) {
      file.reading.notices.push({ kind: 'unknown-field', name: path, why: unknown(path) });
    }
  }
}

function readGroup(file: File, names: readonly string[], value: unknown): void {
  if (isMap(value)) {
    readMap(file, value, names);
  } else if (value !== null) {
    const flag = file.locate(names);
    file.reading.problems.push({
      flag,
      expected: 'a map',
      given: describe(value),
      remedy: 'Write its fields below it',
    });
  }
}

interface GivenField {
  readonly setting: ForeignSetting;
  readonly names: readonly string[];
  readonly value: unknown;
}

function readField({ reading, locate, mode }: File, { setting, names, value }: GivenField): void {
  const read = readFieldValue(value, setting.type, setting.zeroCounts === true);
  switch (read.kind) {
    case 'absent':
      return;
    case 'wrong': {
      const { expected, given, remedy } = read;
      reading.problems.push({ flag: locate(names), expected, given, remedy });
      return;
    }
    case 'text':
      if (setting.countsIn !== undefined && (setting.countsIn === 'nftables') !== (mode === 'nftables')) {
        const why = `in mode ${quote(mode)} the field of ${mode === 'nftables' ? 'nftables' : 'iptables'} counts`;
        reading.notices.push({ kind: 'ignored', name: names.join('.'), why });
      } else {
        readSetting(reading, { setting, name: locate(names), text: read.text }, ownFlags);
      }
      return;
  }
}

function modeOf(value: Readonly<Record<string, unknown>>): string {
  return typeof value['mode'] === 'string' ? value['mode'] : '';
}

function unknown(path: string): string {
  const guess = nearest(path, [...fields.keys()]);
  return guess === undefined ? 'unknown; it does not count' : `unknown, perhaps ${guess} was meant; it does not count`;
}

/** What is said of a file that cannot be read. */
export function unreadableFile(path: string, error: unknown): ConfigProblem {
  const given = `${quote(path)}: ${error instanceof Error ? error.message : String(error)}`;
  return {
    flag: '--config',
    expected: 'a file that can be read',
    given,
    remedy: 'Correct the path, or mount the file',
  };
}
