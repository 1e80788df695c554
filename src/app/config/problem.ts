/** One thing wrong with the command line. */
export interface ConfigProblem {
  /** With its dashes, as written in the documentation. */
  readonly flag: string;
  readonly expected: string;
  readonly given: string;
  /** What to do about it, as an imperative sentence without its full stop. */
  readonly remedy: string;
}

/** `--ipvs-sync-period: expected a duration, given "30". Add a unit: 30s.` */
export function formatProblem(problem: ConfigProblem): string {
  return `${problem.flag}: expected ${problem.expected}, given ${problem.given}. ${problem.remedy}.`;
}

/** What was given, in quotes and never longer than a line. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
