/** The templates of the Helm chart: the objects of `sluice manifest`, with holes for what values decide. */

import { stringify } from 'yaml';
import { manifestFlags } from '../../../src/app/manifest.ts';
import type { ManifestInput } from '../../../src/core/manifest/input.ts';
import { manifestObjects } from '../../../src/core/manifest/manifest.ts';
import { mergeVariants } from './merge-variants.ts';

const features = {
  directReturn: 'index .Values.flags "direct-return"',
  state: 'index .Values.flags "last-known-state"',
  healthz: 'include "sluice.healthz.port" .',
} as const;

const heading = '{{/* Made out of what "sluice manifest" prints. */ -}}\n';

/** Stands where the templates have the port. */
const portHole = 65_432;

/** Lines that are replaced as a whole, by what stands in them; their indentation stays. */
const lineHoles: Readonly<Record<string, readonly string[]>> = {
  'namespace: HOLE-namespace': ['namespace: {{ .Release.Namespace }}'],
  'image: HOLE-image': ['image: {{ include "sluice.image" . | quote }}'],
  'imagePullPolicy: IfNotPresent': ['imagePullPolicy: {{ .Values.image.pullPolicy }}'],
  '- HOLE-agent-flags': flagLines(() => true),
  '- HOLE-preparation-flags': flagLines(({ isPreparation }) => isPreparation),
  'host: HOLE-host': ['{{- with include "sluice.healthz.host" . }}', 'host: {{ . | quote }}', '{{- end }}'],
  [`containerPort: ${portHole}`]: ['containerPort: {{ include "sluice.healthz.port" . }}'],
  [`hostPort: ${portHole}`]: ['hostPort: {{ include "sluice.healthz.port" . }}'],
  'path: HOLE-runtime': ['path: {{ include "sluice.runtimeFolder" . | quote }}'],
  'mountPath: HOLE-runtime': ['mountPath: {{ include "sluice.runtimeFolder" . | quote }}'],
  'path: HOLE-records': ['path: {{ include "sluice.recordsFolder" . | quote }}'],
  'mountPath: HOLE-records': ['mountPath: {{ include "sluice.recordsFolder" . | quote }}'],
  'path: HOLE-state': ['path: {{ dir (index .Values.flags "last-known-state") | quote }}'],
  'mountPath: HOLE-state': ['mountPath: {{ dir (index .Values.flags "last-known-state") | quote }}'],
};

/** Values that take the place of a part of the DaemonSet, by the path of the part. */
const parts = {
  updateStrategy: ['spec', 'updateStrategy'],
  nodeSelector: ['spec', 'template', 'spec', 'nodeSelector'],
  tolerations: ['spec', 'template', 'spec', 'tolerations'],
  priorityClassName: ['spec', 'template', 'spec', 'priorityClassName'],
  terminationGracePeriodSeconds: ['spec', 'template', 'spec', 'terminationGracePeriodSeconds'],
  resources: ['spec', 'template', 'spec', 'containers', '0', 'resources'],
} as const;

const scalarParts = new Set<string>(['priorityClassName', 'terminationGracePeriodSeconds']);

/** Values that add a part which is not there by default. */
const additions = {
  podAnnotations: ['spec', 'template', 'metadata', 'annotations'],
  imagePullSecrets: ['spec', 'template', 'spec', 'imagePullSecrets'],
  affinity: ['spec', 'template', 'spec', 'affinity'],
} as const;

/** What the parts are in the manifest: the defaults of the values. */
export function defaultParts(): Readonly<Record<string, unknown>> {
  const [, , daemonSet] = manifestObjects(inputOf(new Set(['healthz'])));
  return Object.fromEntries(Object.entries(parts).map(([name, path]) => [name, at(daemonSet, path)]));
}

/** By file name. */
export function templates(): readonly (readonly [name: string, text: string])[] {
  return ['service-account', 'cluster-role-binding', 'daemon-set'].map((name, index) => {
    const merged = mergeVariants(features, (present) => {
      const object = structuredClone(manifestObjects(inputOf(present))[index] ?? {});
      return stringify(index === 2 ? withHoles(object) : object, { lineWidth: 0, aliasDuplicateObjects: false });
    });
    return [`${name}.yaml`, heading + merged.split('\n').flatMap(filled).join('\n')] as const;
  });
}

function inputOf(present: ReadonlySet<string>): ManifestInput {
  return {
    image: 'HOLE-image',
    namespace: 'HOLE-namespace',
    agentFlags: ['HOLE-agent-flags'],
    preparationFlags: ['HOLE-preparation-flags'],
    healthz: present.has('healthz') ? { address: 'HOLE-host', port: portHole } : undefined,
    directReturn: present.has('directReturn') ? { runtime: 'HOLE-runtime', records: 'HOLE-records' } : undefined,
    stateFolder: present.has('state') ? 'HOLE-state' : undefined,
  };
}

/** Copied with a hole in the place of each part. */
function withHoles(object: object): object {
  for (const [name, path] of Object.entries(parts)) put(object, path, `HOLE-part-${name}`);
  for (const [name, path] of Object.entries(additions)) put(object, path, `HOLE-addition-${name}`);
  return object;
}

function filled(line: string): readonly string[] {
  const indent = /^ */.exec(line)?.[0] ?? '';
  const text = line.slice(indent.length);
  const [, key, kind, name] = /^(\w+): HOLE-(part|addition)-(\w+)$/.exec(text) ?? [];
  if (key !== undefined) {
    if (kind === 'part' && scalarParts.has(name ?? '')) return [`${indent}${key}: {{ toJson .Values.${name} }}`];
    const below = `{{- toYaml ${kind === 'part' ? `.Values.${name}` : '.'} | nindent ${indent.length + 2} }}`;
    return kind === 'part'
      ? [`${indent}${key}:`, `${indent}  ${below}`]
      : [`${indent}{{- with .Values.${name} }}`, `${indent}${key}:`, `${indent}  ${below}`, `${indent}{{- end }}`];
  }
  return (lineHoles[text] ?? [text]).map((each) => `${indent}${each.replace('INDENT', String(indent.length))}`);
}

function flagLines(takes: (flag: (typeof manifestFlags)[number]) => boolean): readonly string[] {
  const names = manifestFlags.filter(takes).map(({ flag }) => `"${flag.name}"`);
  return [
    `{{- include "sluice.flags" (dict "flags" .Values.flags "names" (list ${names.join(' ')})) | nindent INDENT }}`,
  ];
}

function at(object: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Readonly<Record<string, unknown>>)[key], object);
}

function put(object: object, path: readonly string[], value: string): void {
  const parent = at(object, path.slice(0, -1)) as Record<string, unknown>;
  parent[path.at(-1) ?? ''] = value;
}
