/** Compares what was promised, what trace predicted and what happened. */

import { isKnown } from './known.ts';
import type { Predictor } from './prediction.ts';
import type { Row } from './rows.ts';
import { type Observation, outcomeText } from './send.ts';

export interface Judged {
  readonly rows: number;
  /** Rows of `known.ts` that do not hold. */
  readonly known: number;
  readonly mismatches: readonly string[];
  readonly contradictions: readonly string[];
  readonly knownThatHold: readonly string[];
}

export function judge(rows: readonly Row[], observed: ReadonlyMap<Row, Observation>, predictor: Predictor): Judged {
  const seen = (row: Row): Observation => observed.get(row) ?? { results: [], text: 'not sent' };
  const isBroken = (row: Row): boolean => seen(row).text !== outcomeText(row.expected);
  const broken = rows.filter(isBroken);
  const ordinary = rows.filter((row) => !isKnown(row));
  return {
    rows: rows.length,
    known: broken.filter(isKnown).length,
    mismatches: ordinary
      .filter(isBroken)
      .map((row) => `${row.name}: promised ${outcomeText(row.expected)}, but ${seen(row).text}`),
    contradictions: ordinary.flatMap((row) => {
      const said = predictor.contradiction(row, seen(row));
      return said === undefined ? [] : [`${row.name}: ${said}`];
    }),
    knownThatHold: rows.filter((row) => isKnown(row) && !isBroken(row)).map(({ name }) => name),
  };
}

/** One line for the log of a run. */
export function summary({ rows, mismatches, known, contradictions }: Judged): string {
  const counts = `${mismatches.length} mismatches, ${known} known ones, ${contradictions.length} wrong predictions`;
  return `packet table: ${rows} rows, ${counts}`;
}
