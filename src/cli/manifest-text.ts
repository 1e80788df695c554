import { Document, isMap, isScalar, isSeq, type Node } from 'yaml';
import type { JsonObject } from '../core/manifest/input.ts';
import type { ManifestNote } from '../core/manifest/notes.ts';
import { wrap } from './layout.ts';

/** Objects as YAML documents, each note above what it is about. Ends with a newline. */
export function manifestText(objects: readonly JsonObject[], notes: readonly ManifestNote[]): string {
  return objects
    .map((object) =>
      documentText(
        object,
        notes.filter(({ kind }) => kind === object['kind']),
      ),
    )
    .join('---\n');
}

function documentText(object: JsonObject, notes: readonly ManifestNote[]): string {
  // The same labels in two places are no alias: people read this.
  const document = new Document(object, { aliasDuplicateObjects: false });
  const own = notes.filter(({ path }) => path.length === 0).map(({ text }) => comment(text, 0));
  for (const { path, text } of notes) {
    const node = path.length === 0 ? undefined : noted(document.contents, path);
    if (node !== undefined) {
      // Two columns for each level, and the dash of a list is one of its own.
      node.commentBefore = comment(text, 2 * path.length);
    }
  }
  const body = document.toString({ lineWidth: 0 });
  return `${own.map((text) => text.replace(/^/gm, '#')).join('\n')}${own.length > 0 ? '\n' : ''}${body}`;
}

/** The key of a mapping or the item of a list at the end of the path; undefined when there is none. */
function noted(start: unknown, path: readonly string[]): Node | undefined {
  let node: unknown = start;
  let found: unknown;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === step);
      found = pair?.key;
      node = pair?.value;
    } else if (isSeq(node)) {
      node = node.items.find((item) => isItem(item, step));
      found = node;
    } else {
      return undefined;
    }
  }
  return isScalar(found) || isMap(found) || isSeq(found) ? found : undefined;
}

function isItem(item: unknown, step: string): boolean {
  return isScalar(item) ? item.value === step : isMap(item) && item.get('name') === step;
}

function comment(text: string, indent: number): string {
  return text
    .split('\n')
    .flatMap((paragraph) => wrap(paragraph, 118 - indent))
    .map((line) => (line === '' ? '' : ` ${line}`))
    .join('\n');
}
