/** The candidate that a person most likely meant; undefined when none is near. */
export function nearest(typed: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(typed, candidate) }))
    .sort((one, other) => one.distance - other.distance);
  const best = ranked[0];
  // A third of the letters may be wrong; beyond that a guess only confuses.
  return best !== undefined && best.distance <= Math.max(1, Math.ceil(typed.length / 3)) ? best.candidate : undefined;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(one: string, other: string): number {
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [row, letter] of one.split('').entries()) {
    const current = [row + 1];
    for (const [column, target] of other.split('').entries()) {
      const replaced = (previous[column] ?? 0) + (letter === target ? 0 : 1);
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[other.length] ?? 0;
}
