import type { FactChange, ObjectKind } from '../../src/core/model/facts.ts';
import type { FactSink, ObjectProblem } from '../../src/kube/source.ts';

export interface RecordingSink extends FactSink {
  readonly batches: (readonly FactChange[])[];
  readonly problems: ObjectProblem[];
  /** `complete a b`, `replace a b`, `set a`, `delete a` of one kind, by key. */
  story(kind: ObjectKind): readonly string[];
}

export function recordingSink(): RecordingSink {
  const batches: (readonly FactChange[])[] = [];
  const problems: ObjectProblem[] = [];
  // Told as it came: what a list holds changes later.
  const told: { readonly kind: ObjectKind; readonly text: string }[] = [];
  return {
    batches,
    problems,
    changes: (batch) => {
      batches.push(batch);
      told.push(...batch.map((change) => ({ kind: change.kind, text: describe(change) })));
    },
    problem: (problem) => problems.push(problem),
    story: (kind) => told.filter((each) => each.kind === kind).map(({ text }) => text),
  };
}

function describe(change: FactChange): string {
  switch (change.change) {
    case 'set':
      return `set ${change.kind === 'Node' ? change.fact.name : change.fact.key}`;
    case 'delete':
      return `delete ${change.key}`;
    case 'complete':
      return ['complete', ...change.list.keys()].join(' ');
    case 'replace':
      return ['replace', ...change.facts.map(({ kind, fact }) => (kind === 'Node' ? fact.name : fact.key))].join(' ');
  }
}

/** Looks again every few milliseconds; fails after four seconds with what `describeState` says. */
export async function until(condition: () => boolean, describeState: () => unknown = () => ''): Promise<void> {
  const deadline = performance.now() + 4_000;
  while (!condition()) {
    if (performance.now() > deadline) {
      throw new Error(`waited in vain: ${JSON.stringify(describeState())}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
