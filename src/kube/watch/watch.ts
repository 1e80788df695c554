/** One watch request, from its first line to its last. */

import type { ProjectionSettings } from '../project/projection.ts';
import type { SourceFailure } from '../source.ts';
import { type Descriptor, pathOf } from './descriptor.ts';
import { parseEvent } from './events.ts';
import { type ExchangeEnd, type ExchangeInput, exchange } from './exchange.ts';
import { createLineSplitter } from './lines.ts';
import { failureOfStatus } from './status.ts';

export interface WatchListener {
  open(): void;
  put(object: unknown, resourceVersion: string | undefined): void;
  remove(object: unknown, resourceVersion: string | undefined): void;
  bookmark(resourceVersion: string | undefined, endsList: boolean): void;
  /** All lines that a network chunk completed have been told; it came at that time. */
  chunkEnd(at: number): void;
}

export interface WatchInput extends Pick<ExchangeInput, 'transport' | 'clock' | 'signal'> {
  readonly descriptor: Descriptor;
  readonly settings: ProjectionSettings;
  readonly random: () => number;
  readonly resourceVersion: string;
  /** First the whole list, closed by a bookmark (KEP-3157). */
  readonly startsWithList: boolean;
  readonly listener: WatchListener;
}

/** etcd holds objects up to 1.5 MiB; nothing honest comes near this. */
const longestLine = 16 * 1024 * 1024;

/** Resolves, never rejects, with the listener told of every event before the failure. */
export function runWatch(input: WatchInput): Promise<ExchangeEnd> {
  const { listener, random } = input;
  const timeoutSeconds = Math.floor(300 + random() * 300);
  const takeChunk = chunkTaker(listener);
  return exchange({
    ...input,
    path: watchPath(input, timeoutSeconds),
    deadlineMs: (timeoutSeconds + graceSeconds) * 1000,
    onOpen: () => listener.open(),
    onChunk: (bytes, at) => {
      const failure = takeChunk(bytes);
      listener.chunkEnd(at);
      return failure;
    },
  });
}

/** The server ends the watch at its timeout; a server that does not has lost us. */
const graceSeconds = 30;

function watchPath(input: WatchInput, timeoutSeconds: number): string {
  const { descriptor, resourceVersion, startsWithList } = input;
  return pathOf(descriptor, {
    watch: 'true',
    allowWatchBookmarks: 'true',
    timeoutSeconds: `${timeoutSeconds}`,
    resourceVersion: resourceVersion === '' ? undefined : resourceVersion,
    sendInitialEvents: startsWithList ? 'true' : undefined,
    resourceVersionMatch: startsWithList ? 'NotOlderThan' : undefined,
  });
}

/** Nothing behind a broken line is looked at: an event would be missing before it. */
function chunkTaker(listener: WatchListener): (bytes: Buffer) => SourceFailure | undefined {
  let failure: SourceFailure | undefined;
  const split = createLineSplitter(longestLine, (line) => {
    failure ??= takeLine(line, listener);
  });
  return (bytes) => {
    const fits = split(bytes);
    return failure ?? (fits ? undefined : { code: 'line-too-long', message: `a line of over ${longestLine} bytes` });
  };
}

function takeLine(line: string, listener: WatchListener): SourceFailure | undefined {
  const event = parseEvent(line);
  switch (event?.type) {
    case 'put':
      listener.put(event.object, event.resourceVersion);
      return undefined;
    case 'remove':
      listener.remove(event.object, event.resourceVersion);
      return undefined;
    case 'bookmark':
      listener.bookmark(event.resourceVersion, event.endsList);
      return undefined;
    case 'error':
      return failureOfStatus(event.status);
    case undefined:
      return { code: 'line-malformed', message: 'a line of the watch is no event' };
  }
}
