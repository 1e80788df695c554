/** Numbers and protocols of Service and endpoint ports. */

import type { Protocol } from '../../core/model/facts.ts';
import type { Refusal } from '../../core/model/reason.ts';
import { excerpt, readString } from './json.ts';

export function isPortNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535;
}

/** TCP when absent, as the API server defaults it. Undefined, with a refusal, when it is none that IPVS carries. */
export function readProtocol(value: unknown, subject: string, refusals: Refusal[]): Protocol | undefined {
  const text = readString(value, subject) ?? 'TCP';
  if (text === 'TCP' || text === 'UDP' || text === 'SCTP') {
    return text;
  }
  refusals.push({ reason: 'protocol-unknown', subject, found: excerpt(text), expected: 'TCP, UDP or SCTP' });
  return undefined;
}

export function portRefusal(subject: string, found: unknown): Refusal {
  return { reason: 'port-invalid', subject, found: excerpt(found), expected: 'a number from 1 to 65535' };
}
