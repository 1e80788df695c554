/** What a step of the demo shows and what it found out. */

export interface StepResult {
  readonly title: string;
  readonly blocks: readonly Block[];
  readonly checks: readonly Check[];
}

export type Block =
  | { readonly kind: 'table'; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: 'line'; readonly text: string };

/** Passed when what was found is what was expected. */
export interface Check {
  readonly what: string;
  readonly expected: string;
  readonly found: string;
}

export function line(text: string): Block {
  return { kind: 'line', text };
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): Block {
  return { kind: 'table', head, rows };
}

export function failedChecks(result: StepResult): readonly Check[] {
  return result.checks.filter((check) => check.expected !== check.found);
}
