/**
 * Puts the texts of variants together into one template. A line that some variants lack gets the condition under which
 * it stands; what the template makes under the conditions of a variant is that variant, line by line.
 */

/** A feature's name, and the condition of Go's templates under which it is there. */
export type Features = Readonly<Record<string, string>>;

/** The text of the manifest with exactly these features. */
export type VariantText = (present: ReadonlySet<string>) => string;

export function mergeVariants(features: Features, textOf: VariantText): string {
  const variants = subsets(Object.keys(features));
  let merged: readonly Line[] = [];
  for (const [index, present] of variants.entries()) {
    merged = withVariant(merged, placed(textOf(present).split('\n')), index);
  }
  const lines: string[] = [];
  let open: string | undefined;
  for (const { text, members } of merged) {
    const condition = conditionOf(members, variants, features);
    if (condition !== open) {
      if (open !== undefined) lines.push('{{- end }}');
      if (condition !== undefined) lines.push(`{{- if ${condition} }}`);
      open = condition;
    }
    lines.push(text);
  }
  if (open !== undefined) lines.push('{{- end }}');
  return lines.join('\n');
}

interface PlacedLine {
  readonly text: string;
  /** The lines that it stands below, and itself: equal lines of different lists are told apart by it. */
  readonly place: string;
}

interface Line extends PlacedLine {
  /** In which variants it stands, by number. */
  readonly members: ReadonlySet<number>;
}

function placed(lines: readonly string[]): readonly PlacedLine[] {
  let above: readonly string[] = [];
  return lines.map((text) => {
    const indent = text.search(/[^ ]|$/);
    above = [...above.filter((line) => line.search(/[^ ]/) < indent), text];
    return { text, place: above.join('\n') };
  });
}

/** The shortest sequence that holds both, by the longest common one. */
function withVariant(merged: readonly Line[], lines: readonly PlacedLine[], variant: number): readonly Line[] {
  const lengths = commonLengths(merged, lines);
  const length = (one: number, other: number): number => lengths[one]?.[other] ?? 0;
  const result: Line[] = [];
  let [one, other] = [0, 0];
  while (one < merged.length || other < lines.length) {
    const [line, added] = [merged[one], lines[other]];
    if (line !== undefined && line.place === added?.place && length(one, other) === length(one + 1, other + 1) + 1) {
      result.push({ ...line, members: new Set([...line.members, variant]) });
      one += 1;
      other += 1;
    } else if (added === undefined || (line !== undefined && length(one + 1, other) >= length(one, other + 1))) {
      if (line !== undefined) result.push(line);
      one += 1;
    } else {
      result.push({ ...added, members: new Set([variant]) });
      other += 1;
    }
  }
  return result;
}

/** How many lines the rests of both have in common, by where the rests begin. */
function commonLengths(merged: readonly Line[], lines: readonly PlacedLine[]): readonly (readonly number[])[] {
  const table = Array.from({ length: merged.length + 1 }, () => new Array<number>(lines.length + 1).fill(0));
  for (let one = merged.length - 1; one >= 0; one -= 1) {
    for (let other = lines.length - 1; other >= 0; other -= 1) {
      const row = table[one] ?? [];
      const next = table[one + 1] ?? [];
      row[other] =
        merged[one]?.place === lines[other]?.place
          ? (next[other + 1] ?? 0) + 1
          : Math.max(next[other] ?? 0, row[other + 1] ?? 0);
    }
  }
  return table;
}

function conditionOf(
  members: ReadonlySet<number>,
  variants: readonly ReadonlySet<string>[],
  features: Features,
): string | undefined {
  if (members.size === variants.length) {
    return undefined;
  }
  const holds = (test: (present: ReadonlySet<string>) => boolean): boolean =>
    variants.every((present, index) => test(present) === members.has(index));
  const names = Object.keys(features);
  for (const name of names) {
    if (holds((present) => present.has(name))) return features[name];
    if (holds((present) => !present.has(name))) return `not (${features[name]})`;
  }
  for (const one of names) {
    for (const other of names) {
      if (holds((present) => present.has(one) || present.has(other)))
        return `or (${features[one]}) (${features[other]})`;
    }
  }
  throw new Error(`no condition for variants ${[...members].join(', ')}`);
}

/** The whole set last: its order of lines is that of the template. */
function subsets(names: readonly string[]): readonly ReadonlySet<string>[] {
  return names.reduce<readonly ReadonlySet<string>[]>(
    (before, name) => [...before, ...before.map((set) => new Set([...set, name]))],
    [new Set()],
  );
}
