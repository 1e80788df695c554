/**
 * The last known facts as text: a header, an object a line, and a footer with a checksum over all of it. A file that was cut
 * short, changed, or written by a version with other facts is not used.
 */

import { createHash } from 'node:crypto';
import { type FactChange, type ObjectFact, objectKinds } from '../../core/model/facts.ts';

/** What is not used of a file, and why. */
export type LastKnownRefusal = 'absent' | 'damaged' | 'of-another-version' | 'of-another-node' | 'too-old';

export interface LastKnown {
  /** Unix milliseconds. */
  readonly writtenAt: number;
  readonly facts: readonly ObjectFact[];
}

/** Changes with the shape of facts (`core/model/facts.ts`). */
const version = 1;

/** The first line. */
export function headerLine(nodeName: string, writtenAt: number): string {
  return `${JSON.stringify({ format: 'sluice last known facts', version, node: nodeName, writtenAt })}\n`;
}

/** The line of one object. */
export function factLine(fact: ObjectFact): string {
  return `${JSON.stringify(fact)}\n`;
}

/** The last line, for the SHA-256 of all lines before it. */
export function footerLine(checksum: string): string {
  return `${JSON.stringify({ sha256: checksum })}\n`;
}

/** Understands a file as this node wrote it. */
export function parseLastKnown(text: string, nodeName: string): LastKnown | LastKnownRefusal {
  const end = text.lastIndexOf('\n', text.length - 2) + 1;
  const body = text.slice(0, end);
  const footer = parseLine(text.slice(end));
  if (footer?.['sha256'] !== createHash('sha256').update(body).digest('hex')) {
    return 'damaged';
  }
  const [first = '', ...lines] = body.split('\n').slice(0, -1);
  const header = parseLine(first);
  if (header?.['version'] !== version) {
    return 'of-another-version';
  }
  if (header['node'] !== nodeName) {
    return 'of-another-node';
  }
  const { writtenAt } = header;
  const facts = lines.map(parseLine).filter((line) => line !== undefined && isObjectFact(line));
  return typeof writtenAt === 'number' && facts.length === lines.length ? { writtenAt, facts } : 'damaged';
}

/** The facts as complete lists. Pods of this node are left out: they did not outlive it, and their addresses may be others'. */
export function asLists({ facts }: LastKnown, nodeName: string): readonly FactChange[] {
  return objectKinds.map((kind) => ({
    change: 'replace',
    kind,
    facts: facts.filter((each) => each.kind === kind).map((each) => withoutPodsOf(each, nodeName)),
  }));
}

function withoutPodsOf(each: ObjectFact, nodeName: string): ObjectFact {
  if (each.kind !== 'EndpointSlice') {
    return each;
  }
  const endpoints = each.fact.endpoints.filter((endpoint) => endpoint.nodeName !== nodeName);
  return { kind: each.kind, fact: { ...each.fact, endpoints } };
}

/** What the checksum covers is what `factLine` wrote: its kind tells the rest. */
function isObjectFact(value: object): value is ObjectFact {
  return 'kind' in value && objectKinds.some((kind) => kind === value.kind) && 'fact' in value;
}

function parseLine(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
