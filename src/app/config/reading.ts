/** What is gathered while flags and file are read. */

import type { ConfigDraft } from './flag.ts';
import type { ConfigNotice } from './notice.ts';
import type { ConfigProblem } from './problem.ts';

export interface Reading {
  readonly draft: ConfigDraft;
  readonly problems: ConfigProblem[];
  readonly notices: ConfigNotice[];
}

export function emptyReading(): Reading {
  return { draft: {}, problems: [], notices: [] };
}
