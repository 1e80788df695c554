/** What a setting of kube-proxy or kube-router means to sluice. */

import type { Config } from '../config.ts';
import type { Parsed } from '../value-kinds.ts';

export type Meaning =
  /** The same as one of sluice's flags, whose name `flag` is. */
  | {
      readonly kind: 'honoured';
      readonly flag: string;
      /** What is different; '' when nothing is. */
      readonly note: string;
      /** What stands after "expected" when `translate` refuses. */
      readonly expected: string;
      /** The value as sluice's flag takes it. `current` is what was read before. */
      readonly translate: (text: string, current: Config) => Parsed<string>;
      /** Whether it sets a part of the flag only, so that both may be given. */
      readonly isPart: boolean;
    }
  /** Accepted with a warning, without effect. */
  | {
      readonly kind: 'ignored';
      /** A clause for people. */
      readonly why: string;
      /** Values that ask for what is so anyway: no warning. '' is always one. */
      readonly harmless: readonly string[];
      readonly exception: Exception | undefined;
    }
  /** An error, since going on without it would surprise. */
  | {
      readonly kind: 'refused';
      readonly why: string;
      readonly remedy: string;
      /** As above: these are accepted. */
      readonly harmless: readonly string[];
    };

/** Values that must not be ignored. */
export interface Exception {
  /** A sentence for people. */
  readonly text: string;
  readonly refuse: (value: string) => Refused | undefined;
}

export interface Refused {
  /** What stands after "expected". */
  readonly expected: string;
  readonly remedy: string;
}

/** The value means the same to sluice's flag. */
export function honoured(flag: string): Meaning {
  return translated(flag, '', { expected: 'a value', translate: (text) => ({ ok: true, value: text }) });
}

export interface Translation {
  readonly expected: string;
  readonly translate: (text: string, current: Config) => Parsed<string>;
  readonly isPart?: boolean;
}

/** Another spelling of what sluice's flag says. */
export function translated(flag: string, note: string, { expected, translate, isPart = false }: Translation): Meaning {
  return { kind: 'honoured', flag, note, expected, translate, isPart };
}

export function ignored(why: string, harmless: readonly string[] = [], exception?: Exception): Meaning {
  return { kind: 'ignored', why, harmless, exception };
}

export function refused(why: string, remedy: string, harmless: readonly string[] = []): Meaning {
  return { kind: 'refused', why, remedy, harmless };
}
