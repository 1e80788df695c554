/** The text of a configuration file → its tree, with what a strict reader would not have. Never throws. */

import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type Tags,
} from 'yaml';

export type ParsedDocument =
  | {
      readonly ok: true;
      readonly value: unknown;
      /** Paths of fields that are given more than once; the last one counts. */
      readonly duplicates: readonly string[];
      /** The line, from 1, of a field or of the nearest one above it. */
      readonly lineOf: (path: readonly string[]) => number;
    }
  | { readonly ok: false; readonly line: number; readonly message: string };

/** One document of YAML, or JSON. */
export function parseDocument(text: string): ParsedDocument {
  try {
    return parse(text);
  } catch (error) {
    // Nesting without end, and aliases that would grow without bound.
    return { ok: false, line: 1, message: firstLine(error) };
  }
}

function parse(text: string): ParsedDocument {
  const lineCounter = new LineCounter();
  const options = {
    lineCounter,
    prettyErrors: false,
    // A key given twice is told, not refused.
    uniqueKeys: false,
    logLevel: 'error',
    // kube-proxy's: `yes` is true there. But its parser knows no times of day (1:30) and leaves dates as they are.
    version: '1.1',
    customTags: (tags: Tags) => tags.filter((tag) => !isTime(tag)),
  } as const;
  const documents = [...parseAllDocuments(text, options)].filter(({ contents }) => contents !== null);
  const [document, second] = documents;
  const lineAt = (offset: number): number => Math.max(1, lineCounter.linePos(offset).line);
  if (document === undefined) {
    return { ok: false, line: 1, message: 'the file is empty' };
  }
  const [error] = documents.flatMap(({ errors }) => errors);
  if (error !== undefined) {
    return { ok: false, line: lineAt(error.pos[0]), message: firstLine(error) };
  }
  if (second !== undefined) {
    return { ok: false, line: lineAt(second.range[0]), message: 'there is a second document' };
  }
  const { contents } = document;
  const value: unknown = document.toJS();
  // An alias may stand inside what it stands for. No JSON has that, and nobody could walk to its end.
  JSON.stringify(value);
  return {
    ok: true,
    value,
    duplicates: [...new Set(duplicatesIn(contents, ''))],
    lineOf: (path) => lineAt(offsetOf(contents, path)),
  };
}

function isTime(tag: Tags[number]): boolean {
  return typeof tag !== 'string' && (tag.format === 'TIME' || tag.tag === 'tag:yaml.org,2002:timestamp');
}

type Contents = Document.Parsed['contents'] | Node | null;

function duplicatesIn(node: unknown, prefix: string): readonly string[] {
  if (isSeq(node)) {
    return node.items.flatMap((item, index) => duplicatesIn(item, `${prefix}[${index}]`));
  }
  if (!isMap(node)) {
    return [];
  }
  const seen = new Set<string>();
  return node.items.flatMap((pair) => {
    const path = prefix === '' ? keyOf(pair) : `${prefix}.${keyOf(pair)}`;
    const repeated = seen.has(path) ? [path] : [];
    seen.add(path);
    return [...repeated, ...duplicatesIn(pair.value, path)];
  });
}

function offsetOf(contents: Contents, path: readonly string[]): number {
  let node: unknown = contents;
  let offset = contents?.range?.[0] ?? 0;
  for (const name of path) {
    const pair: Pair | undefined = isMap(node) ? node.items.findLast((item) => keyOf(item) === name) : undefined;
    if (pair === undefined) {
      return offset;
    }
    offset = isScalar(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
    node = pair.value;
  }
  return offset;
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] ?? message;
}
