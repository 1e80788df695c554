/** What every namespaced object carries. */

import type { Intern } from './intern.ts';
import { isJsonObject, type JsonObject, readObject, readString, requireName, requireObject } from './json.ts';

export interface Metadata {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  /** '' when absent. */
  readonly uid: string;
  readonly labels: JsonObject;
  readonly annotations: JsonObject;
  /** Unix milliseconds, 0 when absent. */
  readonly createdAt: number;
}

export const headlessLabel = 'service.kubernetes.io/headless';

/** `namespace/name`. Throws MalformedError. */
export function keyOfNamespaced(raw: unknown): string {
  const metadata = requireObject(requireObject(raw, 'object')['metadata'], 'metadata');
  const name = requireName(metadata['name'], 'metadata.name');
  return `${requireName(metadata['namespace'], 'metadata.namespace')}/${name}`;
}

/** The key of any object, with a namespace or without; undefined for what has none. */
export function keyOfObject(raw: unknown): string | undefined {
  const metadata = isJsonObject(raw) ? raw['metadata'] : undefined;
  const { name, namespace }: JsonObject = isJsonObject(metadata) ? metadata : {};
  if (typeof name !== 'string') {
    return undefined;
  }
  return typeof namespace === 'string' ? `${namespace}/${name}` : name;
}

/** Throws MalformedError. */
export function readMetadata(object: JsonObject, intern: Intern): Metadata {
  const metadata = requireObject(object['metadata'], 'metadata');
  const namespace = intern(requireName(metadata['namespace'], 'metadata.namespace'));
  const name = requireName(metadata['name'], 'metadata.name');
  return {
    key: `${namespace}/${name}`,
    namespace,
    name,
    uid: readString(metadata['uid'], 'metadata.uid') ?? '',
    labels: readObject(metadata['labels'], 'metadata.labels'),
    annotations: readObject(metadata['annotations'], 'metadata.annotations'),
    createdAt: readTime(readString(metadata['creationTimestamp'], 'metadata.creationTimestamp')) ?? 0,
  };
}

/** Unix milliseconds; undefined for what is no time. */
export function readTime(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
