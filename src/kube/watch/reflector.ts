/**
 * Keeps one kind of object in step with the API server, for ever: list, watch, resume where the stream ended, list
 * anew only when the server no longer knows what happened since.
 */

import type { Clock } from '../clock.ts';
import { sleep } from '../clock.ts';
import type { ProjectionSettings } from '../project/projection.ts';
import type { FactSink, SourceFailure, SourcePhase, SourceState } from '../source.ts';
import { type AttemptEnd, initialCourse, nextCourse } from './course.ts';
import type { Descriptor } from './descriptor.ts';
import { versionOf } from './events.ts';
import { createIntake, type Intake } from './intake.ts';
import { readList } from './list.ts';
import type { Transport } from './transport.ts';
import { runWatch, type WatchListener } from './watch.ts';

export interface ReflectorInput {
  readonly descriptor: Descriptor;
  readonly settings: ProjectionSettings;
  readonly transport: Transport;
  readonly clock: Clock;
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
}

export interface Reflector {
  start(sink: FactSink): void;
  stop(): Promise<void>;
  state(): SourceState;
}

export function createReflector(input: ReflectorInput): Reflector {
  const controller = new AbortController();
  const status: Status = { phase: 'initial', hasSynced: false, lastEventAt: undefined, lastError: undefined };
  let running: Promise<void> = Promise.resolve();
  return {
    start: (sink) => {
      const { descriptor, settings } = input;
      const intake = createIntake({ kind: descriptor.kind, project: descriptor.project, settings, sink });
      running = run({ input, intake, status, signal: controller.signal, resourceVersion: '', hasToldOfNone: false });
    },
    stop: async () => {
      controller.abort();
      await running;
    },
    state: () => ({
      kind: input.descriptor.kind,
      phase: status.phase,
      hasSynced: status.hasSynced,
      lastEventAgeMs: status.lastEventAt === undefined ? undefined : input.clock.now() - status.lastEventAt,
      lastError: status.lastError,
    }),
  };
}

interface Status {
  phase: SourcePhase;
  hasSynced: boolean;
  lastEventAt: number | undefined;
  lastError: SourceFailure | undefined;
}

interface Work {
  readonly input: ReflectorInput;
  readonly intake: Intake;
  readonly status: Status;
  readonly signal: AbortSignal;
  /** Of the last event or complete list; '' before the first. */
  resourceVersion: string;
  /** An optional kind was told to have no objects. */
  hasToldOfNone: boolean;
}

async function run(work: Work): Promise<void> {
  const { status, signal, input } = work;
  let course = initialCourse;
  while (!signal.aborted) {
    const end = await attempt(work, course.next, course.fromNewest);
    const decision = nextCourse(course, end, input.random);
    course = decision.course;
    if (decision.failure !== undefined) {
      status.lastError = decision.failure;
    }
    if (decision.forgetsCredentials) {
      input.transport.forgetCredentials();
    }
    if (decision.delayMs > 0) {
      status.phase = isUnavailable(work) ? 'unavailable' : 'backoff';
      if (status.phase === 'unavailable' && !work.hasToldOfNone) {
        work.hasToldOfNone = true;
        tellOfNone(work.intake);
      }
      await sleep(input.clock, decision.delayMs, signal);
    }
  }
}

/** What was once listed is kept, whatever the server says later. */
function isUnavailable({ input, status }: Work): boolean {
  const code = status.lastError?.code;
  return input.descriptor.isOptional === true && !status.hasSynced && (code === 'missing' || code === 'forbidden');
}

function tellOfNone(intake: Intake): void {
  intake.beginList();
  intake.completeList();
  intake.flush();
}

async function attempt(work: Work, kind: AttemptEnd['kind'], fromNewest: boolean): Promise<AttemptEnd> {
  const { status } = work;
  if (kind === 'watch') {
    status.phase = 'resuming';
    return watch(work, undefined);
  }
  status.phase = status.hasSynced ? 'relisting' : 'initial';
  return kind === 'paged-list' ? list(work) : watch(work, fromNewest ? '' : work.resourceVersion);
}

async function list(work: Work): Promise<AttemptEnd> {
  const { input, intake, signal } = work;
  const end = await readList({
    ...input,
    signal,
    onBegin: () => intake.beginList(),
    onItem: (raw) => intake.put(raw, versionOf(raw)),
    onPageEnd: () => intake.flush(),
  });
  if (signal.aborted || end.resourceVersion === undefined) {
    const { failure, retryAfterMs, openMs } =
      end.resourceVersion === undefined ? end.end : { failure: undefined, retryAfterMs: undefined, openMs: undefined };
    return { kind: 'paged-list', failure, retryAfterMs, openMs, hasProgressed: false };
  }
  work.resourceVersion = end.resourceVersion;
  completeList(work);
  intake.flush();
  return { kind: 'paged-list', failure: undefined, retryAfterMs: undefined, openMs: undefined, hasProgressed: true };
}

/** With `listFrom` the stream begins with the whole list, at least as new as that version ('': the newest). */
async function watch(work: Work, listFrom: string | undefined): Promise<AttemptEnd> {
  const { input, intake, status, signal } = work;
  let isListing = listFrom !== undefined;
  let hasProgressed = false;
  if (isListing) {
    intake.beginList();
  }
  let hasHeard = false;
  const heard = (resourceVersion: string | undefined): void => {
    hasHeard = true;
    if (!isListing && resourceVersion !== undefined && resourceVersion !== work.resourceVersion) {
      work.resourceVersion = resourceVersion;
      hasProgressed = true;
      status.lastError = undefined;
    }
  };
  const listener: WatchListener = {
    open: () => {
      if (!isListing) {
        status.phase = 'synced';
      }
    },
    put: (object, resourceVersion) => {
      intake.put(object, resourceVersion);
      heard(resourceVersion);
    },
    remove: (object, resourceVersion) => {
      intake.remove(object);
      heard(resourceVersion);
    },
    bookmark: (resourceVersion, endsList) => {
      if (isListing && endsList) {
        isListing = false;
        completeList(work);
      }
      heard(resourceVersion);
    },
    chunkEnd: (at) => {
      if (hasHeard) {
        status.lastEventAt = at;
        hasHeard = false;
      }
      intake.flush();
    },
  };
  const resourceVersion = listFrom ?? work.resourceVersion;
  const end = await runWatch({ ...input, signal, resourceVersion, startsWithList: isListing, listener });
  return { kind: listFrom === undefined ? 'watch' : 'streamed-list', ...end, isListing, hasProgressed };
}

function completeList(work: Work): void {
  const { status, intake, input } = work;
  status.phase = 'synced';
  status.hasSynced = true;
  status.lastEventAt = input.clock.now();
  status.lastError = undefined;
  intake.completeList();
}
