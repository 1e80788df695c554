/**
 * What the cluster looked like when this node went down, for as long as the API server does not say what it looks like
 * now. Only a kernel that holds nothing of sluice's needs it: after a restart of the agent alone everything is in force.
 */

import { readFileSync } from 'node:fs';
import type { Facts } from '../../core/facts.ts';
import type { FactChange } from '../../core/model/facts.ts';
import type { FilterPort } from '../../kernel/ports.ts';
import type { Log } from '../log.ts';
import { asLists, type LastKnown, type LastKnownRefusal, parseLastKnown } from './document.ts';
import { createLastKnownWriter } from './write.ts';

export interface LastKnownInput {
  /** Undefined: nothing is kept. */
  readonly path: string | undefined;
  readonly maxAgeMs: number;
  readonly facts: Facts;
  readonly filter: Pick<FilterPort, 'dump'>;
  readonly log: Log;
  /** Takes the facts in. */
  readonly changes: (batch: readonly FactChange[]) => void;
  /** For tests. */
  readonly patienceMs?: number;
  readonly pauseMs?: number;
}

export interface LastKnownState {
  /** Facts came from the source itself. */
  changed(batch: readonly FactChange[]): void;
  stop(): Promise<void>;
}

/** How long the API server is waited for: on a node that starts, it is often slower than the agent. */
const apiPatienceMs = 15_000;

export function keepLastKnown(input: LastKnownInput): LastKnownState {
  const { path, facts, log } = input;
  if (path === undefined) {
    return { changed: () => {}, stop: async () => {} };
  }
  const writer = createLastKnownWriter({
    path,
    facts,
    now: Date.now,
    onTrouble: (error) => log.warn({ err: error, path }, 'the last known state could not be written'),
    ...(input.pauseMs === undefined ? {} : { pauseMs: input.pauseMs }),
  });
  let isStale = false;
  const timer = setTimeout(() => {
    isStale = fallBack(input, path);
  }, input.patienceMs ?? apiPatienceMs);
  return {
    changed: (batch) => {
      const isList = batch.some(
        ({ change, kind }) => (change === 'replace' || change === 'complete') && kind === 'EndpointSlice',
      );
      if (isList) {
        clearTimeout(timer);
      }
      if (isStale && isList) {
        isStale = false;
        log.info({}, 'the API server answers; the last known state is over');
      }
      if (!isStale && facts.complete.has('EndpointSlice')) {
        writer.due();
      }
    },
    stop: () => {
      clearTimeout(timer);
      return writer.stop();
    },
  };
}

/** Whether the last known state is in use now. */
function fallBack({ facts, filter, log, maxAgeMs, changes }: LastKnownInput, path: string): boolean {
  if (facts.complete.has('Service') && facts.complete.has('EndpointSlice')) {
    return false;
  }
  if ((filter.dump(['virtual_servers']) ?? []).length > 0) {
    log.info({}, 'the API server does not answer; what is programmed stays in force');
    return false;
  }
  const found = readLastKnown(path, facts.nodeName, maxAgeMs);
  if (typeof found === 'string') {
    log.warn({ path, why: found }, 'the API server does not answer, and there is no last known state to use');
    return false;
  }
  const writtenAt = new Date(found.writtenAt).toISOString();
  log.warn({ path, writtenAt }, 'the API server does not answer; programming the last known state, which may be stale');
  changes(asLists(found, facts.nodeName));
  return true;
}

function readLastKnown(path: string, nodeName: string, maxAgeMs: number): LastKnown | LastKnownRefusal {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return 'absent';
  }
  const found = parseLastKnown(text, nodeName);
  const age = typeof found === 'string' ? 0 : Date.now() - found.writtenAt;
  // A clock that was set back says nothing of the age.
  return typeof found !== 'string' && (age > maxAgeMs || age < 0) ? 'too-old' : found;
}
