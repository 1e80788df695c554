/** Session affinity, and the annotations that are read at all. */

import type { Refusal } from '../../core/model/reason.ts';
import { excerpt, type JsonObject, readNumber, readObject, readString } from './json.ts';

/** The API server's default, three hours. */
const defaultAffinityTimeoutSeconds = 10_800;

/** Undefined without affinity. A timeout outside 1 to 86400 seconds is refused and the default taken. */
export function readAffinityTimeout(spec: JsonObject, refusals: Refusal[]): number | undefined {
  const affinity = readString(spec['sessionAffinity'], 'spec.sessionAffinity') ?? 'None';
  if (affinity !== 'ClientIP') {
    if (affinity !== 'None' && affinity !== '') {
      refusals.push({
        reason: 'object-malformed',
        subject: 'spec.sessionAffinity',
        found: excerpt(affinity),
        expected: 'None or ClientIP; taken as None',
      });
    }
    return undefined;
  }
  const config = readObject(spec['sessionAffinityConfig'], 'spec.sessionAffinityConfig');
  const clientIP = readObject(config['clientIP'], 'spec.sessionAffinityConfig.clientIP');
  const subject = 'spec.sessionAffinityConfig.clientIP.timeoutSeconds';
  const seconds = readNumber(clientIP['timeoutSeconds'], subject) ?? defaultAffinityTimeoutSeconds;
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= 86_400) {
    return seconds;
  }
  refusals.push({
    reason: 'affinity-timeout-invalid',
    subject,
    found: excerpt(seconds),
    expected: `1 to 86400 seconds; ${defaultAffinityTimeoutSeconds} taken`,
  });
  return defaultAffinityTimeoutSeconds;
}

/** `kube-router.io/*` and `sluice.dev/*`. Their meaning is not judged here, only that they are short printable text. */
export function readAnnotations(annotations: JsonObject, refusals: Refusal[]): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  for (const name of Object.keys(annotations)) {
    if (name.startsWith('kube-router.io/') || name.startsWith('sluice.dev/')) {
      const subject = `metadata.annotations[${name}]`;
      const value = readString(annotations[name], subject) ?? '';
      if (value.length <= longestValue && !unprintable.test(value)) {
        kept[name] = value;
      } else {
        const expected = `printable text of at most ${longestValue} characters`;
        refusals.push({
          reason: 'annotation-value-invalid',
          subject: excerpt(subject),
          found: excerpt(value),
          expected,
        });
      }
    }
  }
  return kept;
}

const longestValue = 1_024;
const unprintable = /\p{Cc}/u;
