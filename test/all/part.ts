/** Tests counted from vitest's report. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** Each that failed: its file, its name and the first line of why. */
  readonly failures: readonly string[];
}

/** One part of `npm test`. */
export interface Part {
  readonly name: string;
  /** Resolves with the tests counted, `undefined` for a part that has none. Rejects when the part fails otherwise. */
  readonly run: () => Promise<Counts | undefined>;
}

/** How a part went. */
export interface PartResult {
  readonly name: string;
  readonly outcome: 'passed' | 'failed';
  readonly seconds: number;
  readonly counts: Counts | undefined;
  /** Why it failed, in one line, when the counts do not tell. */
  readonly reason: string | undefined;
}

/** Runs a part; a failure is a value, so that the parts after it still run. */
export async function runPart(part: Part): Promise<PartResult> {
  const started = performance.now();
  console.log(`\n── ${part.name}`);
  try {
    const counts = await part.run();
    const seconds = (performance.now() - started) / 1000;
    const reason = counts?.passed === 0 && counts.failed === 0 ? 'it ran no test' : undefined;
    const outcome = reason === undefined && (counts?.failed ?? 0) === 0 ? 'passed' : 'failed';
    return { name: part.name, outcome, seconds, counts, reason };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    console.error(message);
    const seconds = (performance.now() - started) / 1000;
    return { ...failedPart(part, message.split('\n')[0] ?? ''), seconds };
  }
}

/** The result of a part that could not run. */
export function failedPart(part: Part, reason: string): PartResult {
  return { name: part.name, outcome: 'failed', seconds: 0, counts: undefined, reason };
}
