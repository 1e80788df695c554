/** Reads one setting of another program into the configuration. */

import type { Flag } from '../flag.ts';
import { makeConfig } from '../make-config.ts';
import type { ConfigProblem } from '../problem.ts';
import { quote } from '../problem.ts';
import type { Reading } from '../reading.ts';
import { boolean, duration } from '../value-kinds.ts';
import type { ForeignSetting, SettingType } from './foreign-setting.ts';
import type { Meaning } from './meaning.ts';

export interface GivenSetting {
  readonly setting: ForeignSetting;
  /** As messages name it: a flag with its dashes, or file and field. */
  readonly name: string;
  readonly text: string;
}

/** Sets what it means, or adds what is wrong with it, or why it has no effect. `ownFlags` by name. */
export function readSetting(reading: Reading, given: GivenSetting, ownFlags: ReadonlyMap<string, Flag>): void {
  const { setting, name } = given;
  const wrong = typeProblem(setting.type, given);
  if (wrong !== undefined) {
    reading.problems.push(wrong);
    return;
  }
  const text = setting.type === 'boolean' ? plainBoolean(given.text) : given.text;
  const { meaning } = setting;
  switch (meaning.kind) {
    case 'honoured':
      reading.problems.push(...honour(reading, { ...given, text }, { meaning, own: ownFlags.get(meaning.flag) }));
      return;
    case 'ignored': {
      if (isHarmless(meaning.harmless, text)) {
        return;
      }
      const refusal = meaning.exception?.refuse(text);
      if (refusal !== undefined) {
        reading.problems.push({ flag: name, given: quote(text), ...refusal });
      } else {
        reading.notices.push({ kind: 'ignored', name: noticeName(given), why: meaning.why });
      }
      return;
    }
    case 'refused':
      if (!isHarmless(meaning.harmless, text)) {
        const expected = `nothing here, since ${meaning.why}`;
        reading.problems.push({ flag: name, expected, given: quote(text), remedy: meaning.remedy });
      }
      return;
  }
}

function isHarmless(harmless: readonly string[], text: string): boolean {
  return text === '' || harmless.includes(text);
}

/** A warning speaks of one file: its name need not be said for each field. */
function noticeName({ setting, name }: GivenSetting): string {
  return name.startsWith('--') ? name : (setting.field ?? name);
}

interface Target {
  readonly meaning: Meaning & { readonly kind: 'honoured' };
  readonly own: Flag | undefined;
}

function honour(reading: Reading, given: GivenSetting, { meaning, own }: Target): readonly ConfigProblem[] {
  if (own === undefined) {
    throw new TypeError(`the table of settings names a flag that does not exist: ${meaning.flag}`);
  }
  const { name, text } = given;
  const translated = meaning.translate(text, makeConfig(reading.draft));
  if (!translated.ok) {
    return [{ flag: name, expected: meaning.expected, given: quote(text), remedy: translated.remedy }];
  }
  const problem = own.read([translated.value], reading.draft);
  return problem === undefined ? [] : [{ ...problem, flag: name, given: quote(text) }];
}

function plainBoolean(text: string): string {
  const parsed = boolean.parse(text);
  return parsed.ok ? String(parsed.value) : text;
}

function typeProblem(type: SettingType, { name, text }: GivenSetting): ConfigProblem | undefined {
  const problem = (expected: string, remedy: string): ConfigProblem => ({
    flag: name,
    expected,
    given: quote(text),
    remedy,
  });
  switch (type) {
    case 'boolean': {
      const parsed = boolean.parse(text);
      return parsed.ok ? undefined : problem(boolean.expected, parsed.remedy);
    }
    case 'duration': {
      const parsed = anyDuration.parse(text);
      return parsed.ok ? undefined : problem(anyDuration.expected, parsed.remedy);
    }
    case 'integer':
      return /^-?\d+$/.test(text) ? undefined : problem('a whole number', 'Write digits alone');
    case 'number':
      return /^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? undefined : problem('a number', 'Write it like 5');
    case 'switches':
      return text === '' || text.split(',').every((part) => /^\s*\w+=(true|false|1|0|t|f)\s*$/i.test(part))
        ? undefined
        : problem('names with true or false', 'Write it like A=true,B=false');
    case 'string':
    case 'strings':
    case 'anything':
      return undefined;
  }
}

const anyDuration = duration(0);
