/** What a reflector does next, decided from how the last attempt ended. Pure. */

import type { SourceFailure } from '../source.ts';
import { healthyMs, retryDelayMs } from './backoff.ts';

export type AttemptKind = 'streamed-list' | 'paged-list' | 'watch';

export interface AttemptEnd {
  readonly kind: AttemptKind;
  readonly failure: SourceFailure | undefined;
  readonly retryAfterMs: number | undefined;
  /** Since the server accepted; undefined when it never did. */
  readonly openMs: number | undefined;
  /** A list was completed, or an event or bookmark brought a new resource version. */
  readonly hasProgressed: boolean;
  /** The list had not been completed when the stream ended. */
  readonly isListing?: boolean;
}

export interface Course {
  readonly next: AttemptKind;
  /** The next streamed list asks for the newest state, whatever was seen before. */
  readonly fromNewest: boolean;
  /** False once the server refused to stream lists. */
  readonly streamsLists: boolean;
  /** In a row, since the last healthy time. */
  readonly failures: number;
  /** Times in a row that the server's own words, not the network, kept a watch from going on. */
  readonly stuck: number;
  readonly wasUnauthorized: boolean;
  /** The version was refused as too old, and no watch has been healthy since. */
  readonly wasExpired: boolean;
}

export interface Decision {
  readonly course: Course;
  readonly delayMs: number;
  readonly failure: SourceFailure | undefined;
  readonly forgetsCredentials: boolean;
}

export const initialCourse: Course = {
  next: 'streamed-list',
  fromNewest: false,
  streamsLists: true,
  failures: 0,
  stuck: 0,
  wasUnauthorized: false,
  wasExpired: false,
};

/** `random` gives 0 to 1. */
export function nextCourse(before: Course, end: AttemptEnd, random: () => number): Decision {
  const course = afterProgress(before, end);
  const failure = failureOf(end);
  if (failure === undefined) {
    return { course, delayMs: 0, failure, forgetsCredentials: false };
  }
  if (failure.code === 'unsupported' && end.kind === 'streamed-list' && end.isListing === true) {
    const paged: Course = { ...course, streamsLists: false, next: 'paged-list' };
    return { course: paged, delayMs: 0, failure: undefined, forgetsCredentials: false };
  }
  const failed = afterFailure(course, end, failure);
  const isUnauthorized = failure.code === 'unauthorized';
  const delayMs = isWorthAnImmediateTry(before, end, failure)
    ? 0
    : retryDelayMs(failure.code, { failures: failed.failures, random }, end.retryAfterMs);
  return {
    course: {
      ...failed,
      wasUnauthorized: isUnauthorized,
      wasExpired: failed.wasExpired || failure.code === 'expired',
    },
    delayMs,
    failure,
    forgetsCredentials: isUnauthorized,
  };
}

/** A stream that lived this long was a stream; one that ended sooner, without an event, was a refusal in disguise. */
const shortestWatchMs = 1_000;
/** A watch that cannot get past the same place is given up for a new list. */
const mostStuck = 3;

function failureOf(end: AttemptEnd): SourceFailure | undefined {
  if (end.failure !== undefined) {
    return end.failure;
  }
  const isIncomplete = end.isListing === true;
  const isShort = !end.hasProgressed && (end.openMs ?? 0) < shortestWatchMs;
  if (isIncomplete || isShort) {
    return {
      code: 'ended-early',
      message: isIncomplete ? 'the list ended before it was complete' : 'the watch ended at once',
    };
  }
  return undefined;
}

function afterProgress(course: Course, end: AttemptEnd): Course {
  const wasHealthy = (end.openMs ?? 0) >= healthyMs;
  const hasList = end.kind !== 'watch' && end.hasProgressed;
  return {
    ...course,
    next: hasList ? 'watch' : course.next,
    fromNewest: hasList ? false : course.fromNewest,
    failures: wasHealthy ? 0 : course.failures,
    stuck: end.hasProgressed ? 0 : course.stuck,
    wasUnauthorized: false,
    wasExpired: wasHealthy ? false : course.wasExpired,
  };
}

function afterFailure(course: Course, end: AttemptEnd, failure: SourceFailure): Course {
  const failures = course.failures + 1;
  const list: AttemptKind = course.streamsLists ? 'streamed-list' : 'paged-list';
  if (failure.code === 'expired') {
    // Also the version last seen is refused: only the newest state is left to ask for.
    return {
      ...course,
      failures,
      stuck: 0,
      next: list,
      fromNewest: end.kind === 'streamed-list' && end.isListing === true,
    };
  }
  const isServersWord =
    failure.code === 'line-malformed' ||
    failure.code === 'line-too-long' ||
    failure.code === 'missing' ||
    failure.code === 'refused' ||
    failure.code === 'unsupported';
  const stuck = isServersWord ? course.stuck + 1 : course.stuck;
  return stuck >= mostStuck && course.next === 'watch'
    ? { ...course, failures, stuck: 0, next: list, fromNewest: true }
    : { ...course, failures, stuck };
}

/**
 * No waiting where the next attempt is different from the one that failed: with a token read anew, with a list instead
 * of a watch, on a new connection after one that worked.
 */
function isWorthAnImmediateTry(before: Course, end: AttemptEnd, failure: SourceFailure): boolean {
  switch (failure.code) {
    case 'unauthorized':
      return !before.wasUnauthorized;
    case 'expired':
      // The server answers, so a list will do, also after a long outage. But not for ever: one that refuses each of its
      // own versions would be asked for lists without pause.
      return !before.wasExpired || (end.openMs ?? 0) >= healthyMs;
    case 'connection-lost':
    case 'silent':
      return (
        end.kind !== 'paged-list' &&
        end.isListing !== true &&
        (end.hasProgressed || (end.openMs ?? 0) >= shortestWatchMs)
      );
    default:
      return false;
  }
}
