import type { Outcome } from '../traffic/conversation.ts';

/** Who answered how often, by name: `web-0 2  web-1 2`. Failures count under what went wrong. */
export function tally(outcomes: readonly Outcome[]): string {
  const counts = new Map<string, number>();
  for (const outcome of outcomes) {
    const name = podOf(outcome);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, count]) => `${name} ${count}`)
    .join('  ');
}

/** The source addresses that the pods saw, each once. */
export function sources(outcomes: readonly Outcome[]): readonly string[] {
  return [...new Set(outcomes.flatMap((outcome) => ('saw' in outcome ? [outcome.saw] : [])))].sort();
}

/** The pod that answered, or what went wrong. */
export function podOf(outcome: Outcome): string {
  return 'pod' in outcome ? outcome.pod : `(${outcome.failure})`;
}
