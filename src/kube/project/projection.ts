/** From a raw API object of unknown shape to a fact, and the reasons for every part that was left out. */

import type { ObjectFact } from '../../core/model/facts.ts';
import type { Refusal } from '../../core/model/reason.ts';
import type { Intern } from './intern.ts';
import { MalformedError } from './json.ts';

export type Projection =
  | {
      readonly result: 'fact';
      readonly key: string;
      readonly object: ObjectFact;
      readonly refusals: readonly Refusal[];
    }
  /** Well-formed, but nothing for this proxy: headless, ExternalName, another proxy's. */
  | { readonly result: 'unconcerned'; readonly key: string }
  /** Nothing can be said about it; the last good version stays. `key` is '' when not even that could be read. */
  | { readonly result: 'malformed'; readonly key: string; readonly refusals: readonly Refusal[] };

export interface ProjectionSettings {
  /** Values of the label `service.kubernetes.io/service-proxy-name` that mean this proxy. */
  readonly ownProxyNames: readonly string[];
  readonly intern: Intern;
}

export type Project = (raw: unknown, settings: ProjectionSettings) => Projection;

/** Runs `read`, which may throw MalformedError, and turns that into a result. `key` is asked for first. */
export function projectSafely(keyOf: () => string, read: (key: string) => Projection): Projection {
  let key = '';
  try {
    key = keyOf();
    return read(key);
  } catch (error) {
    if (error instanceof MalformedError) {
      return { result: 'malformed', key, refusals: [malformedRefusal(error)] };
    }
    throw error;
  }
}

function malformedRefusal(error: MalformedError): Refusal {
  return { reason: 'object-malformed', subject: error.subject, found: error.found, expected: error.expected };
}
