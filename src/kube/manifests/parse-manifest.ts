/** The text of one manifest file → raw objects with their place in it. Pure. */

import { isMap, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml';

import { isJsonObject, type JsonObject } from '../project/json.ts';

export interface ManifestObject {
  readonly raw: JsonObject;
  /** From 1. For a JSON file found only when asked. */
  readonly line: () => number;
}

export interface ManifestFault {
  readonly line: number;
  readonly message: string;
}

export interface Manifest {
  /** In the order of the file; the items of a List stand for themselves. */
  readonly objects: readonly ManifestObject[];
  /** Documents that are no objects. The others count all the same. */
  readonly faults: readonly ManifestFault[];
}

/** YAML with any number of documents, or JSON. Never throws. */
export function parseManifest(text: string): Manifest {
  return parseJson(text) ?? parseYaml(text);
}

/** A large JSON file is read a hundred times faster so; only when it is no JSON does the YAML reader say where. */
function parseJson(text: string): Manifest | undefined {
  if (!/^\s*\{/.test(text)) {
    return undefined;
  }
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return undefined;
  }
  let located: Manifest | undefined;
  const lineOf = (index: number): number => {
    located ??= parseYaml(text);
    return located.objects[index]?.line() ?? 1;
  };
  const objects = itemsOf(raw).filter(isJsonObject);
  return { objects: objects.map((object, index) => ({ raw: object, line: () => lineOf(index) })), faults: [] };
}

function parseYaml(text: string): Manifest {
  const objects: ManifestObject[] = [];
  const faults: ManifestFault[] = [];
  const lines = new LineCounter();
  const lineAt = (offset: number): number => Math.max(1, lines.linePos(offset).line);
  for (const document of documentsOf(text, lines)) {
    const [error] = document.errors;
    const start = document.contents?.range?.[0] ?? document.range?.[0] ?? 0;
    if (error !== undefined) {
      faults.push({ line: lineAt(error.pos[0]), message: firstLine(error.message) });
      continue;
    }
    const content = toValue(document);
    if (!content.isValue) {
      faults.push({ line: lineAt(start), message: content.message });
    } else if (content.value !== null && content.value !== undefined) {
      const nodes = itemNodes(document.contents);
      for (const [index, raw] of itemsOf(content.value).entries()) {
        const line = lineAt(nodes?.[index]?.range?.[0] ?? start);
        if (isJsonObject(raw)) {
          objects.push({ raw, line: () => line });
        } else {
          faults.push({ line, message: 'an object is expected here' });
        }
      }
    }
  }
  return { objects, faults };
}

type YamlDocument = Extract<ReturnType<typeof parseAllDocuments>, readonly unknown[]>[number];

function documentsOf(text: string, lineCounter: LineCounter): readonly YamlDocument[] {
  const documents = parseAllDocuments(text, { lineCounter, prettyErrors: false });
  return Array.isArray(documents) ? documents : [];
}

type Content =
  | { readonly isValue: true; readonly value: unknown }
  | { readonly isValue: false; readonly message: string };

/** Fails on aliases that would grow without bound. */
function toValue(document: YamlDocument): Content {
  try {
    return { isValue: true, value: document.toJS() };
  } catch (error) {
    return { isValue: false, message: error instanceof Error ? firstLine(error.message) : 'unreadable' };
  }
}

/** `kind: List` and the typed lists hold objects in `items`. */
function itemsOf(value: unknown): readonly unknown[] {
  if (isJsonObject(value)) {
    const { kind, items } = value;
    if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)) {
      return items;
    }
  }
  return [value];
}

function itemNodes(contents: Node | null): readonly (Node | undefined)[] | undefined {
  const items = isMap(contents) ? contents.get('items', true) : undefined;
  return isSeq<Node>(items) ? items.items : undefined;
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}
