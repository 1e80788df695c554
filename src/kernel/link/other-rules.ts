/**
 * kube-router's policy routing for direct server return, by its numbers: rules for the tables 78 and 79, and table 78's
 * route. sluice has the same table and priority (identity.ts), with its own protocol number.
 */

import type { Family } from '../../core/model/facts.ts';
import { errno } from '../error.ts';
import { messageAttributes, nextAttribute, readU8, readU32 } from '../netlink/attribute-reader.ts';
import { putU32 } from '../netlink/attribute-writer.ts';
import { beginMessage, createBatch, endMessage, putHeader } from '../netlink/batch.ts';
import { dump } from '../netlink/dump.ts';
import type { MessageCursor } from '../netlink/message-reader.ts';
import { payloadU8 } from '../netlink/message-reader.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { familyNumber, familyOfNumber } from './address-family.ts';
import { routeProtocol, steeringTable } from './identity.ts';
import { perform } from './link-message.ts';
import {
  FR_ACT_TO_TBL,
  FRA_FWMARK,
  FRA_FWMASK,
  FRA_PRIORITY,
  FRA_PROTOCOL,
  FRA_TABLE,
  RTM_DELROUTE,
  RTM_DELRULE,
  RTM_GETROUTE,
  RTM_GETRULE,
  RTM_NEWROUTE,
  RTM_NEWRULE,
  RTN_LOCAL,
  routeHeaderLength,
  ruleHeaderLength,
} from './rtnetlink.ts';

/** A rule of kube-router's. */
export interface OtherRule {
  readonly family: Family;
  readonly priority: number;
  readonly table: number;
  /** Undefined: every packet. */
  readonly mark: { readonly value: number; readonly mask: number } | undefined;
}

/** Of both families. Throws KernelError. */
export function readOtherRules(socket: NetlinkSocket): readonly OtherRule[] {
  const batch = createBatch(64);
  beginMessage(batch, RTM_GETRULE, 0);
  putHeader(batch, new Uint8Array(ruleHeaderLength));
  endMessage(batch);
  return dump(socket, 'dump rules', batch, readOtherRule);
}

/** Gone already is well. Throws KernelError. */
export function removeOtherRule(socket: NetlinkSocket, { family, priority, table, mark }: OtherRule): void {
  const batch = createBatch(128);
  beginMessage(batch, RTM_DELRULE, 0);
  const header = new Uint8Array(ruleHeaderLength);
  header[0] = familyNumber(family);
  header[4] = table;
  header[7] = FR_ACT_TO_TBL;
  putHeader(batch, header);
  putU32(batch, FRA_PRIORITY, priority);
  putU32(batch, FRA_TABLE, table);
  if (mark !== undefined) {
    putU32(batch, FRA_FWMARK, mark.value);
    putU32(batch, FRA_FWMASK, mark.mask);
  }
  endMessage(batch);
  perform(socket, `remove the rule for table ${table}`, batch, errno.ENOENT);
}

/** Its tables with their priorities (pkg/controllers/proxy/network_services_controller.go, 2.10). */
const priorities: ReadonlyMap<number, number> = new Map([
  [78, 32_764],
  [79, 32_765],
]);

function readOtherRule(message: MessageCursor): OtherRule | undefined {
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
  if (protocol === routeProtocol || priorities.get(table) !== priority) return undefined;
  return { family, priority, table, mark: value === undefined ? undefined : { value, mask } };
}

/** `local default` of table 78. */
export interface OtherRoute {
  readonly family: Family;
  readonly protocol: number;
  readonly scope: number;
}

/** Of both families. Throws KernelError. */
export function readOtherRoutes(socket: NetlinkSocket): readonly OtherRoute[] {
  const batch = createBatch(64);
  beginMessage(batch, RTM_GETROUTE, 0);
  putHeader(batch, new Uint8Array(routeHeaderLength));
  endMessage(batch);
  return dump(socket, 'dump routes', batch, readOtherRoute);
}

/** Gone already is well. Throws KernelError. */
export function removeOtherRoute(socket: NetlinkSocket, { family, protocol, scope }: OtherRoute): void {
  const batch = createBatch(64);
  beginMessage(batch, RTM_DELROUTE, 0);
  const header = new Uint8Array(routeHeaderLength);
  header.set([familyNumber(family), 0, 0, 0, steeringTable, protocol, scope, RTN_LOCAL]);
  putHeader(batch, header);
  endMessage(batch);
  perform(socket, `remove the route of table ${steeringTable}`, batch, errno.ESRCH);
}

function readOtherRoute(message: MessageCursor): OtherRoute | undefined {
  const [length, table, protocol] = [payloadU8(message, 1), payloadU8(message, 4), payloadU8(message, 5)];
  const isIts =
    message.type === RTM_NEWROUTE &&
    length === 0 &&
    table === steeringTable &&
    protocol !== routeProtocol &&
    payloadU8(message, 7) === RTN_LOCAL;
  const family = isIts ? familyOfNumber(payloadU8(message, 0)) : undefined;
  return family === undefined ? undefined : { family, protocol, scope: payloadU8(message, 6) };
}
