import { isDeepStrictEqual } from 'node:util';
import type { Json, JsonObject } from '../../src/core/manifest/input.ts';

/** An operation of RFC 6902. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string };

/** What makes `after` out of `before`. What is added at the end of a list is added to whatever the list holds then. */
export function jsonPatch(before: Json, after: Json, path = ''): readonly PatchOperation[] {
  if (isDeepStrictEqual(before, after)) {
    return [];
  }
  if (isList(before) && isList(after)) {
    return listPatch(before, after, path);
  }
  if (isObject(before) && isObject(after)) {
    return objectPatch(before, after, path);
  }
  return [{ op: 'replace', path, value: after }];
}

function objectPatch(before: JsonObject, after: JsonObject, path: string): readonly PatchOperation[] {
  const removed = Object.keys(before).filter((key) => !(key in after));
  return [
    ...removed.map((key) => ({ op: 'remove', path: `${path}/${escaped(key)}` }) as const),
    ...Object.entries(after).flatMap(([key, value]) => {
      const place = `${path}/${escaped(key)}`;
      const old = before[key];
      return old === undefined ? [{ op: 'add', path: place, value } as const] : jsonPatch(old, value, place);
    }),
  ];
}

/** Lists of one length are compared item by item; in a longer one, what is new is added where it stands. */
function listPatch(before: readonly Json[], after: readonly Json[], path: string): readonly PatchOperation[] {
  if (before.length === after.length) {
    return after.flatMap((value, index) => jsonPatch(before[index] ?? '', value, `${path}/${index}`));
  }
  const operations: PatchOperation[] = [];
  let kept = 0;
  for (const [index, value] of after.entries()) {
    if (isDeepStrictEqual(before[kept], value)) {
      kept += 1;
    } else {
      operations.push({ op: 'add', path: `${path}/${kept === before.length ? '-' : index}`, value });
    }
  }
  return kept === before.length ? operations : [{ op: 'replace', path, value: after }];
}

function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && !isList(value);
}
