import { putU32 } from '../netlink/attribute-writer.ts';
import { type Batch, putHeader } from '../netlink/batch.ts';
import { familyNumber } from './address-family.ts';
import type { RoutingRule } from './decode-rule.ts';
import { FR_ACT_TO_TBL, FRA_FWMARK, FRA_FWMASK, FRA_PRIORITY, FRA_TABLE, ruleHeaderLength } from './rtnetlink.ts';

/** Appends `fib_rule_hdr`, and what tells a rule of policy routing from others, to a message that was begun. */
export function putRoutingRule(batch: Batch, { family, priority, table, mark }: Omit<RoutingRule, 'protocol'>): void {
  const header = new Uint8Array(ruleHeaderLength);
  header[0] = familyNumber(family);
  header[4] = table;
  header[7] = FR_ACT_TO_TBL;
  putHeader(batch, header);
  putU32(batch, FRA_PRIORITY, priority);
  if (mark !== undefined) {
    putU32(batch, FRA_FWMARK, mark.value);
    putU32(batch, FRA_FWMASK, mark.mask);
  }
  putU32(batch, FRA_TABLE, table);
}
