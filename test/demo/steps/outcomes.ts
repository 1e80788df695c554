import { countAnswers, isAnswer, type RequestResult } from '../../lab/traffic/result.ts';

/** Who answered how often, by name: `web-0 2  web-1 2`. Failures count under what went wrong. */
export function tally(results: readonly RequestResult[]): string {
  return Object.entries(countAnswers(results))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, count]) => `${name} ${count}`)
    .join('  ');
}

/** The source addresses that the pods saw, each once. */
export function sources(results: readonly RequestResult[]): readonly string[] {
  return [...new Set(results.filter(isAnswer).map((answer) => answer.sourceSeen))].sort();
}

/** The pod that answered, or what went wrong. */
export function podOf(result: RequestResult | undefined): string {
  if (result === undefined) return 'no answer';
  return isAnswer(result) ? result.answeredBy : result;
}
