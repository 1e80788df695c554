/** One file's part in the folder: its objects, as facts, and what is wrong with it. Pure. */

import type { ObjectFact, ObjectKind } from '../../core/model/facts.ts';
import type { Refusal } from '../../core/model/reason.ts';
import { projectEndpointSlice } from '../project/endpoint-slice.ts';
import { excerpt, isJsonObject, type JsonObject } from '../project/json.ts';
import { projectNode } from '../project/node.ts';
import type { Project, Projection, ProjectionSettings } from '../project/projection.ts';
import { projectService } from '../project/service.ts';
import { projectServiceCIDR } from '../project/service-cidr.ts';
import type { ObjectProblem } from '../source.ts';
import { withServerDefaults } from './defaults.ts';
import { type ManifestObject, parseManifest } from './parse-manifest.ts';

export interface ManifestEntry {
  readonly kind: ObjectKind;
  /** `namespace/name`; for what has no namespace its name. */
  readonly key: string;
  /** Undefined when the object is of no concern, or malformed and never seen before. */
  readonly object: ObjectFact | undefined;
  readonly refusals: readonly Refusal[];
  /** `file:line`. */
  readonly source: string;
}

export interface ManifestFile {
  readonly name: string;
  readonly entries: readonly ManifestEntry[];
  /** Of the file as a whole. */
  readonly problem: ObjectProblem | undefined;
}

/**
 * `last` is the same file as it was: an object that is malformed now keeps its last good version, and while some
 * document cannot be read at all, nothing of the file is taken for deleted.
 */
export function readManifestFile(
  name: string,
  text: string,
  last: ManifestFile | undefined,
  settings: ProjectionSettings,
): ManifestFile {
  const manifest = parseManifest(text);
  const known = new Map(last?.entries.map((entry) => [nameOf(entry), entry]));
  const refusals: Refusal[] = manifest.faults.map((fault) => refusalAt(fault.line, fault.message));
  const entries: ManifestEntry[] = [];
  for (const object of manifest.objects) {
    const kind = kindOf(object.raw);
    if (kind === undefined) {
      continue;
    }
    const projection = kind === 'nameless' ? undefined : projectors[kind](withServerDefaults(object.raw), settings);
    if (kind === 'nameless' || projection === undefined || projection.key === '') {
      refusals.push(refusalAt(object.line(), messageFor(projection)));
    } else {
      const entry = entryOf(kind, projection, object, name);
      entries.push(entry.isLost ? { ...entry.value, object: known.get(nameOf(entry.value))?.object } : entry.value);
    }
  }
  const present = new Set(entries.map(nameOf));
  const kept = refusals.length === 0 ? [] : [...known.values()].filter((entry) => !present.has(nameOf(entry)));
  return { name, entries: [...entries, ...kept], problem: problemOf(name, refusals) };
}

/** The file cannot be read: everything stays as it was. */
export function unreadableFile(name: string, message: string, last: ManifestFile | undefined): ManifestFile {
  const refusal: Refusal = { reason: 'object-malformed', subject: 'file', found: message, expected: 'a readable file' };
  return {
    name,
    entries: last?.entries ?? [],
    problem: { kind: 'Manifest', key: name, source: name, refusals: [refusal] },
  };
}

/** Identity within the folder. */
export function nameOf(entry: Pick<ManifestEntry, 'kind' | 'key'>): string {
  return `${entry.kind} ${entry.key}`;
}

const projectors: Readonly<Record<ObjectKind, Project>> = {
  Service: projectService,
  EndpointSlice: projectEndpointSlice,
  Node: projectNode,
  ServiceCIDR: projectServiceCIDR,
};

const kinds: Readonly<Record<string, ObjectKind>> = {
  'v1 Service': 'Service',
  'discovery.k8s.io/v1 EndpointSlice': 'EndpointSlice',
  'v1 Node': 'Node',
  'networking.k8s.io/v1 ServiceCIDR': 'ServiceCIDR',
};

/** Undefined for objects of other kinds, which a folder may well hold; 'nameless' for what is no API object. */
function kindOf(raw: JsonObject): ObjectKind | 'nameless' | undefined {
  const { apiVersion, kind } = raw;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    return 'nameless';
  }
  const name = `${apiVersion} ${kind}`;
  return Object.hasOwn(kinds, name) ? kinds[name] : undefined;
}

function messageFor(projection: Projection | undefined): string {
  const refusal = projection?.result === 'malformed' ? projection.refusals[0] : undefined;
  return refusal === undefined
    ? 'an object needs apiVersion and kind'
    : `${refusal.subject}: expected ${refusal.expected}, found ${refusal.found}`;
}

interface ReadEntry {
  readonly value: ManifestEntry;
  /** Malformed: the object is not what the file says now. */
  readonly isLost: boolean;
}

function entryOf(kind: ObjectKind, projection: Projection, object: ManifestObject, file: string): ReadEntry {
  const refusals = [...(projection.result === 'unconcerned' ? [] : projection.refusals), ...missingAddress(object.raw)];
  const value: ManifestEntry = {
    kind,
    key: projection.key,
    object: projection.result === 'fact' ? projection.object : undefined,
    refusals,
    source: refusals.length === 0 ? file : `${file}:${object.line()}`,
  };
  return { value, isLost: projection.result === 'malformed' };
}

/** An API server would have given the Service an address. A folder has none to give, and silence would puzzle. */
function missingAddress(raw: JsonObject): readonly Refusal[] {
  const { kind, spec } = raw;
  if (kind !== 'Service' || !isJsonObject(spec) || spec['type'] === 'ExternalName') {
    return [];
  }
  const { clusterIP, clusterIPs } = spec;
  const hasNone = (clusterIP ?? '') === '' && (clusterIPs ?? '') === '';
  const expected = 'an address: in a folder of manifests nobody else assigns one';
  return hasNone ? [{ reason: 'address-invalid', subject: 'spec.clusterIP', found: 'nothing', expected }] : [];
}

function refusalAt(line: number, message: string): Refusal {
  return {
    reason: 'object-malformed',
    subject: `line ${line}`,
    found: excerpt(message),
    expected: 'a Kubernetes object',
  };
}

function problemOf(name: string, refusals: readonly Refusal[]): ObjectProblem | undefined {
  const line = refusals[0]?.subject.replace('line ', '');
  return line === undefined ? undefined : { kind: 'Manifest', key: name, source: `${name}:${line}`, refusals };
}
