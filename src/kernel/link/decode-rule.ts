import type { Family } from '../../core/model/facts.ts';
import { messageAttributes, nextAttribute, readU8, readU32 } from '../netlink/attribute-reader.ts';
import { type MessageCursor, payloadU8 } from '../netlink/message-reader.ts';
import { familyOfNumber } from './address-family.ts';
import {
  FRA_FWMARK,
  FRA_FWMASK,
  FRA_PRIORITY,
  FRA_PROTOCOL,
  FRA_TABLE,
  RTM_NEWRULE,
  ruleHeaderLength,
} from './rtnetlink.ts';

/** A rule of policy routing. */
export interface RoutingRule {
  readonly family: Family;
  /** RTPROT_* or a program's own. */
  readonly protocol: number;
  readonly table: number;
  readonly priority: number;
  /** Undefined: every packet. */
  readonly mark: { readonly value: number; readonly mask: number } | undefined;
}

/** Reads an RTM_NEWRULE message of one of the two families; undefined for any other. Throws NetlinkDecodeError. */
export function readRoutingRule(message: MessageCursor): RoutingRule | undefined {
  const family = message.type === RTM_NEWRULE ? familyOfNumber(payloadU8(message, 0)) : undefined;
  if (family === undefined) return undefined;
  let [protocol, table, priority, mask] = [0, 0, 0, 0];
  let value: number | undefined;
  const cursor = messageAttributes(message, ruleHeaderLength);
  while (nextAttribute(cursor)) {
    if (cursor.type === FRA_PROTOCOL) protocol = readU8(cursor);
    else if (cursor.type === FRA_TABLE) table = readU32(cursor);
    else if (cursor.type === FRA_PRIORITY) priority = readU32(cursor);
    else if (cursor.type === FRA_FWMARK) value = readU32(cursor);
    else if (cursor.type === FRA_FWMASK) mask = readU32(cursor);
  }
  return { family, protocol, table, priority, mark: value === undefined ? undefined : { value, mask } };
}
