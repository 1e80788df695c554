/** Lists of CIDRs in objects. */

import { formatCIDR, parseCIDR } from '../../core/address.ts';
import type { Refusal } from '../../core/model/reason.ts';
import { excerpt, readList, readString } from './json.ts';

/** The canonical CIDRs of a list; an entry that is none is refused and left out. Throws MalformedError. */
export function readCIDRs(value: unknown, subject: string, refusals: Refusal[]): readonly string[] {
  return readList(value, subject).flatMap((entry, index) => {
    const place = `${subject}[${index}]`;
    const text = readString(entry, place) ?? '';
    const range = parseCIDR(text);
    if (range === undefined) {
      refusals.push({ reason: 'address-invalid', subject: place, found: excerpt(text), expected: 'a CIDR' });
      return [];
    }
    return [formatCIDR(range)];
  });
}
