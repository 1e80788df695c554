/** All files of the folder put together, and what is new since the last time. Pure but for what it remembers. */

import { type FactChange, type ObjectFact, objectKinds } from '../../core/model/facts.ts';
import type { Refusal } from '../../core/model/reason.ts';
import type { FactSink, ObjectProblem } from '../source.ts';
import { type ManifestEntry, type ManifestFile, nameOf } from './manifest-file.ts';

export interface Folder {
  /** Tells the sink what differs from the last time; the first time everything, each kind as one list. */
  publish(files: Iterable<ManifestFile>, sink: FactSink): void;
}

export function createFolder(): Folder {
  let objects: ReadonlyMap<string, ObjectFact> | undefined;
  let problems: ReadonlyMap<string, ObjectProblem> = new Map();
  let ages: Ages = new Map();
  return {
    publish: (files, sink) => {
      const merged = merge([...files].sort((one, other) => (one.name < other.name ? -1 : 1)));
      ages = giveAges(merged.objects, ages);
      keepEqual(objects, merged.objects);
      const batch = objects === undefined ? replaces(merged.objects) : changes(objects, merged.objects);
      tellProblems(problems, merged.problems, sink);
      objects = merged.objects;
      problems = merged.problems;
      if (batch.length > 0) {
        sink.changes(batch);
      }
    },
  };
}

interface Merged {
  readonly objects: Map<string, ObjectFact>;
  readonly problems: Map<string, ObjectProblem>;
}

/** The first file by name has the say over an object that stands in two. */
function merge(files: readonly ManifestFile[]): Merged {
  const merged: Merged = { objects: new Map(), problems: new Map() };
  const firsts = new Map<string, ManifestEntry>();
  for (const file of files) {
    if (file.problem !== undefined) {
      merged.problems.set(`Manifest ${file.name}`, file.problem);
    }
    for (const entry of file.entries) {
      const name = nameOf(entry);
      const first = firsts.get(name);
      if (first === undefined) {
        firsts.set(name, entry);
        addProblem(merged, entry, entry.refusals);
        if (entry.object !== undefined) {
          merged.objects.set(name, entry.object);
        }
      } else {
        addProblem(merged, entry, [secondDefinition(entry, first)]);
      }
    }
  }
  return merged;
}

function secondDefinition(entry: ManifestEntry, first: ManifestEntry): Refusal {
  const expected = `one definition; the one in ${first.source} counts`;
  return { reason: 'object-malformed', subject: 'object', found: `another in ${entry.source}`, expected };
}

function addProblem(merged: Merged, entry: ManifestEntry, refusals: readonly Refusal[]): void {
  if (refusals.length > 0) {
    const name = nameOf(entry);
    const before = merged.problems.get(name)?.refusals ?? [];
    const { kind, key, source } = entry;
    merged.problems.set(name, { kind, key, source, refusals: [...before, ...refusals] });
  }
}

/** By name of the object; only of Services without a creation timestamp. */
type Ages = ReadonlyMap<string, number>;

/** Room between the ages of the first reading, for what comes in between later. */
const firstStep = 1_048_576;

/**
 * Without a creation timestamp the place in the folder is the age: the earlier owns a frontend that two Services
 * claim. Ages given before are kept where they still fit the order, so that a new file does not touch all others.
 */
function giveAges(objects: Map<string, ObjectFact>, before: Ages): Ages {
  const ages = new Map<string, number>();
  let last = 0;
  for (const [name, object] of objects) {
    if (object.kind === 'Service' && object.fact.createdAt === 0) {
      const known = before.get(name) ?? 0;
      last = known > last ? known : last + (before.size === 0 ? firstStep : 1);
      ages.set(name, last);
      objects.set(name, { kind: 'Service', fact: { ...object.fact, createdAt: last } });
    }
  }
  return ages;
}

/** What is equal to before becomes the same object, so that nothing looks changed that is not. */
function keepEqual(before: ReadonlyMap<string, ObjectFact> | undefined, after: Map<string, ObjectFact>): void {
  for (const [name, object] of after) {
    const known = before?.get(name);
    if (known !== undefined && JSON.stringify(known) === JSON.stringify(object)) {
      after.set(name, known);
    }
  }
}

function replaces(objects: ReadonlyMap<string, ObjectFact>): readonly FactChange[] {
  const all = [...objects.values()];
  return objectKinds.map((kind) => ({ change: 'replace', kind, facts: all.filter((object) => object.kind === kind) }));
}

function changes(
  before: ReadonlyMap<string, ObjectFact>,
  after: ReadonlyMap<string, ObjectFact>,
): readonly FactChange[] {
  const batch: FactChange[] = [];
  for (const [name, object] of before) {
    if (!after.has(name)) {
      const key = object.kind === 'Node' ? object.fact.name : object.fact.key;
      batch.push({ change: 'delete', kind: object.kind, key });
    }
  }
  for (const [name, object] of after) {
    if (before.get(name) !== object) {
      batch.push({ change: 'set', ...object });
    }
  }
  return batch;
}

function tellProblems(
  before: ReadonlyMap<string, ObjectProblem>,
  after: ReadonlyMap<string, ObjectProblem>,
  sink: FactSink,
): void {
  for (const [name, problem] of before) {
    if (!after.has(name)) {
      sink.problem({ ...problem, refusals: [] });
    }
  }
  for (const [name, problem] of after) {
    if (JSON.stringify(before.get(name)) !== JSON.stringify(problem)) {
      sink.problem(problem);
    }
  }
}
