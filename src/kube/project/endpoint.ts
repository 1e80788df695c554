/** One endpoint of a slice. This runs for every pod of the cluster, so the path without a fault builds no text. */

import { familyOf } from '../../core/address.ts';
import type { EndpointFact, Family } from '../../core/model/facts.ts';
import type { Refusal } from '../../core/model/reason.ts';
import { canonicalAddress, forbiddenRange } from './addresses.ts';
import type { Intern } from './intern.ts';
import {
  excerpt,
  isJsonObject,
  MalformedError,
  readBoolean,
  readList,
  readName,
  readObject,
  requireObject,
} from './json.ts';

export interface EndpointPlace {
  readonly index: number;
  readonly family: Family;
  /** The slice's. */
  readonly namespace: string;
  readonly intern: Intern;
}

/** Undefined, with a refusal, when its address is missing, unreadable or forbidden. Throws MalformedError. */
export function readEndpoint(value: unknown, place: EndpointPlace, refusals: Refusal[]): EndpointFact | undefined {
  const { intern } = place;
  const raw = isJsonObject(value) ? value : requireObject(value, `endpoints[${place.index}]`);
  const address = readAddress(raw['addresses'], place, refusals);
  if (address === undefined) {
    return undefined;
  }
  const conditions = readObject(raw['conditions'], 'endpoints[].conditions');
  const hints = readObject(raw['hints'], 'endpoints[].hints');
  const nodeName = readName(raw['nodeName'], 'endpoints[].nodeName');
  return {
    address,
    ready: readBoolean(conditions['ready'], 'endpoints[].conditions.ready') ?? true,
    serving: readBoolean(conditions['serving'], 'endpoints[].conditions.serving') ?? true,
    terminating: readBoolean(conditions['terminating'], 'endpoints[].conditions.terminating') ?? false,
    nodeName: nodeName === undefined ? undefined : intern(nodeName),
    zoneHints: readHints(hints['forZones'], 'endpoints[].hints.forZones', intern),
    nodeHints: readHints(hints['forNodes'], 'endpoints[].hints.forNodes', intern),
    target: readTarget(raw['targetRef'], place),
  };
}

/** Only the first address counts: the API's own definition leaves the meaning of more of them open. */
function readAddress(value: unknown, place: EndpointPlace, refusals: Refusal[]): string | undefined {
  const text = readList(value, 'endpoints[].addresses')[0];
  if (typeof text !== 'string' && text !== undefined) {
    throw new MalformedError(subjectOf(place), text, 'a string');
  }
  const address = text === undefined ? undefined : canonicalAddress(text);
  if (address === undefined) {
    refuse('address-invalid', `an ${place.family} address`);
    return undefined;
  }
  if (familyOf(address) !== place.family) {
    refuse('address-wrong-family', `an ${place.family} address`);
    return undefined;
  }
  const range = forbiddenRange(address);
  if (range !== undefined) {
    refuse('endpoint-address-forbidden', `no ${range} address`);
    return undefined;
  }
  return address;

  function refuse(reason: Refusal['reason'], expected: string): void {
    refusals.push({ reason, subject: subjectOf(place), found: excerpt(text), expected });
  }
}

function subjectOf(place: EndpointPlace): string {
  return `endpoints[${place.index}].addresses[0]`;
}

/** Undefined when there are none: no hint and an empty list of hints mean the same. */
function readHints(value: unknown, subject: string, intern: Intern): readonly string[] | undefined {
  const entries = readList(value, subject);
  if (entries.length === 0) {
    return undefined;
  }
  const names: string[] = [];
  for (const entry of entries) {
    const name = readName(requireObject(entry, subject)['name'], subject);
    if (name !== undefined) {
      names.push(intern(name));
    }
  }
  return names.length === 0 ? undefined : names;
}

/** A pod is in the namespace of its Service, so the name tells it: a text with both for every pod would be memory for nothing. */
function readTarget(value: unknown, place: EndpointPlace): string | undefined {
  const reference = readObject(value, 'endpoints[].targetRef');
  const name = readName(reference['name'], 'endpoints[].targetRef.name');
  const namespace = readName(reference['namespace'], 'endpoints[].targetRef.namespace');
  if (name === undefined || namespace === undefined) {
    return undefined;
  }
  return namespace === place.namespace ? name : `${namespace}/${name}`;
}
