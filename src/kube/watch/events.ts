/** One line of a watch. */

import { isJsonObject } from '../project/json.ts';

export type WatchEvent =
  | { readonly type: 'put' | 'remove'; readonly object: unknown; readonly resourceVersion: string | undefined }
  | { readonly type: 'bookmark'; readonly resourceVersion: string | undefined; readonly endsList: boolean }
  /** `status` is a `Status` object. */
  | { readonly type: 'error'; readonly status: unknown };

/** Undefined when the line is no event: then the stream is broken, and nothing behind that line can be trusted. */
export function parseEvent(line: string): WatchEvent | undefined {
  let raw: unknown;
  try {
    raw = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isJsonObject(raw)) {
    return undefined;
  }
  const { type, object } = raw;
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      return { type: 'put', object, resourceVersion: versionOf(object) };
    case 'DELETED':
      return { type: 'remove', object, resourceVersion: versionOf(object) };
    case 'BOOKMARK':
      return { type: 'bookmark', resourceVersion: versionOf(object), endsList: endsList(object) };
    case 'ERROR':
      return { type: 'error', status: object };
    default:
      return undefined;
  }
}

function metadataOf(object: unknown): Readonly<Record<string, unknown>> {
  const metadata = isJsonObject(object) ? object['metadata'] : undefined;
  return isJsonObject(metadata) ? metadata : {};
}

/** The `resourceVersion` of an object. */
export function versionOf(object: unknown): string | undefined {
  const version = metadataOf(object)['resourceVersion'];
  return typeof version === 'string' && version !== '' ? version : undefined;
}

/** KEP-3157: the bookmark behind the initial events. */
function endsList(object: unknown): boolean {
  const { annotations } = metadataOf(object);
  return isJsonObject(annotations) && annotations['k8s.io/initial-events-end'] === 'true';
}
