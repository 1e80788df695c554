/** The objects of events.k8s.io/v1 (staging/src/k8s.io/api/events/v1 and pkg/apis/core/validation/events.go). */

import { createHash } from 'node:crypto';
import type { EventReport } from './event-port.ts';

export interface EventWriting {
  readonly report: EventReport;
  /** Of the object that the Event is about; '' when it is not known. `kubectl describe` finds Events by it. */
  readonly uid: string;
  readonly nodeName: string;
  /** Unix milliseconds of the first occurrence. */
  readonly at: number;
}

/** Where an Event is created. */
export function eventsPath({ regarding }: EventReport): string {
  return `/apis/events.k8s.io/v1/namespaces/${namespaceOf(regarding)}/events`;
}

/** Unique, or for the scope `cluster` the same on every node. Starts with the object's name, as people expect. */
export function eventName({ report, uid, nodeName, at }: EventWriting): string {
  const { regarding, type, reason, action, note, scope } = report;
  const own = scope === 'node' ? [nodeName, at] : [];
  const hash = createHash('sha256').update(JSON.stringify([regarding, uid, type, reason, action, note, ...own]));
  // Names have at most 253 characters.
  return `${regarding.name.slice(0, 220)}.${hash.digest('hex').slice(0, 16)}`;
}

/** The body that creates it. */
export function eventBody(writing: EventWriting): object {
  const { report, uid, nodeName, at } = writing;
  const { regarding } = report;
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: eventName(writing), namespace: namespaceOf(regarding) },
    eventTime: microTime(at),
    reportingController: 'sluice',
    // At most 128 characters; a node's name may have 253.
    reportingInstance: `sluice-${nodeName}`.slice(0, 128),
    type: report.type,
    reason: report.reason,
    action: report.action,
    note: shorten(report.note),
    regarding: { apiVersion: 'v1', ...regarding, ...(uid === '' ? {} : { uid }) },
  };
}

/** The merge patch that says how often it happened by now, at least twice. */
export function seriesPatch(count: number, lastAt: number): object {
  return { series: { count, lastObservedTime: microTime(lastAt) } };
}

/** An Event about an object without a namespace stands in `default`. */
function namespaceOf(regarding: EventReport['regarding']): string {
  return regarding.kind === 'Service' ? regarding.namespace : 'default';
}

/** metav1.MicroTime. */
function microTime(at: number): string {
  return new Date(at).toISOString().replace('Z', '000Z');
}

function shorten(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= longestNote) {
    return note;
  }
  // A character cut in the middle becomes U+FFFD, which goes.
  return `${bytes
    .subarray(0, longestNote - 3)
    .toString()
    .replace(/\uFFFD+$/, '')}…`;
}

/** noteLengthLimit. */
const longestNote = 1_024;
