/**
 * What brings packets to steered VIPs to this node: a rule for their mark, and a table in which everything is local. Both
 * stand while there is a steered VIP of their family, and carry sluice's protocol number.
 */

import { type Family, families } from '../../core/model/facts.ts';
import { type ErrnoCode, KernelError } from '../error.ts';
import { messageAttributes, nextAttribute, readU8, readU32 } from '../netlink/attribute-reader.ts';
import { putU8, putU32 } from '../netlink/attribute-writer.ts';
import { type Batch, beginMessage, createBatch, endMessage, putHeader } from '../netlink/batch.ts';
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../netlink/constants.ts';
import { dump } from '../netlink/dump.ts';
import { type MessageCursor, payloadU8 } from '../netlink/message-reader.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { transact } from '../netlink/transact.ts';
import { familyNumber, familyOfNumber } from './address-family.ts';
import { routeMetric, routeProtocol, steeringPriority, steeringTable } from './identity.ts';
import {
  AF_UNSPEC,
  FR_ACT_TO_TBL,
  FRA_FWMARK,
  FRA_FWMASK,
  FRA_PRIORITY,
  FRA_PROTOCOL,
  FRA_TABLE,
  RT_SCOPE_HOST,
  RT_SCOPE_UNIVERSE,
  RTA_OIF,
  RTA_PRIORITY,
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

/** The families whose rule, for exactly this mark, and table stand. Throws KernelError. */
export function steeredFamilies(socket: NetlinkSocket, mark: number): ReadonlySet<Family> {
  const routed = dump(socket, 'dump routes', question(RTM_GETROUTE, routeHeaderLength), readSteeringRoute);
  const ruled = readSteeringRules(socket).filter((rule) => rule.mark === mark && rule.mask === mark);
  return new Set(families.filter((family) => routed.includes(family) && ruled.some((each) => each.family === family)));
}

/** Makes rule and table of a family, and removes rules of another mark that sluice made. Throws KernelError. */
export function ensureSteering(socket: NetlinkSocket, family: Family, loopback: number, mark: number): void {
  const stale = readSteeringRules(socket).filter((rule) => rule.family === family && rule.mark !== mark);
  send(socket, 'make the route of steered VIPs', (batch) => putSteeringRoute(batch, family, loopback), []);
  send(socket, 'make the rule of steered VIPs', (batch) => putRule(batch, RTM_NEWRULE, { family, mark, mask: mark }), [
    'EEXIST',
  ]);
  for (const rule of stale) removeRule(socket, rule);
}

/** Removes what `ensureSteering` made. Throws KernelError. */
export function removeSteering(socket: NetlinkSocket, family: Family): void {
  for (const rule of readSteeringRules(socket).filter((each) => each.family === family)) removeRule(socket, rule);
  send(socket, 'remove the route of steered VIPs', (batch) => putSteeringRouteRemoval(batch, family), ['ESRCH']);
}

interface SteeringRule {
  readonly family: Family;
  readonly mark: number;
  readonly mask: number;
}

function readSteeringRules(socket: NetlinkSocket): readonly SteeringRule[] {
  return dump(socket, 'dump rules', question(RTM_GETRULE, ruleHeaderLength), readSteeringRule);
}

function removeRule(socket: NetlinkSocket, rule: SteeringRule): void {
  send(socket, 'remove the rule of steered VIPs', (batch) => putRule(batch, RTM_DELRULE, rule), ['ENOENT']);
}

/** A rule of sluice's: by protocol number, table and priority. */
function readSteeringRule(message: MessageCursor): SteeringRule | undefined {
  const family = message.type === RTM_NEWRULE ? familyOfNumber(payloadU8(message, 0)) : undefined;
  if (family === undefined) return undefined;
  let [protocol, table, priority, mark, mask] = [0, 0, 0, 0, 0];
  const cursor = messageAttributes(message, ruleHeaderLength);
  while (nextAttribute(cursor)) {
    if (cursor.type === FRA_PROTOCOL) protocol = readU8(cursor);
    else if (cursor.type === FRA_TABLE) table = readU32(cursor);
    else if (cursor.type === FRA_PRIORITY) priority = readU32(cursor);
    else if (cursor.type === FRA_FWMARK) mark = readU32(cursor);
    else if (cursor.type === FRA_FWMASK) mask = readU32(cursor);
  }
  const isOurs = protocol === routeProtocol && table === steeringTable && priority === steeringPriority;
  return isOurs ? { family, mark, mask } : undefined;
}

function readSteeringRoute(message: MessageCursor): Family | undefined {
  const isOurs =
    message.type === RTM_NEWROUTE &&
    payloadU8(message, 1) === 0 &&
    payloadU8(message, 4) === steeringTable &&
    payloadU8(message, 5) === routeProtocol &&
    payloadU8(message, 7) === RTN_LOCAL;
  return isOurs ? familyOfNumber(payloadU8(message, 0)) : undefined;
}

/** `fib_rule_hdr`, and what it matches. EEXIST, with NLM_F_EXCL: the rule is there. */
function putRule(batch: Batch, type: number, { family, mark, mask }: SteeringRule): void {
  beginMessage(batch, type, type === RTM_NEWRULE ? NLM_F_CREATE | NLM_F_EXCL : 0);
  const header = new Uint8Array(ruleHeaderLength);
  header[0] = familyNumber(family);
  header[4] = steeringTable;
  header[7] = FR_ACT_TO_TBL;
  putHeader(batch, header);
  putU32(batch, FRA_PRIORITY, steeringPriority);
  putU32(batch, FRA_FWMARK, mark);
  putU32(batch, FRA_FWMASK, mask);
  putU32(batch, FRA_TABLE, steeringTable);
  putU8(batch, FRA_PROTOCOL, routeProtocol);
  endMessage(batch);
}

function putSteeringRoute(batch: Batch, family: Family, loopback: number): void {
  beginMessage(batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
  putHeader(batch, steeringRouteHeader(family));
  putU32(batch, RTA_PRIORITY, routeMetric);
  putU32(batch, RTA_OIF, loopback);
  endMessage(batch);
}

function putSteeringRouteRemoval(batch: Batch, family: Family): void {
  beginMessage(batch, RTM_DELROUTE, 0);
  putHeader(batch, steeringRouteHeader(family));
  putU32(batch, RTA_PRIORITY, routeMetric);
  endMessage(batch);
}

/** `rtmsg` of `local default`. */
function steeringRouteHeader(family: Family): Uint8Array {
  const header = new Uint8Array(routeHeaderLength);
  header[0] = familyNumber(family);
  header[4] = steeringTable;
  header[5] = routeProtocol;
  header[6] = family === 'IPv4' ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
  header[7] = RTN_LOCAL;
  return header;
}

function question(type: number, headerLength: number): Batch {
  const batch = createBatch(64);
  const header = new Uint8Array(headerLength);
  header[0] = AF_UNSPEC;
  beginMessage(batch, type, 0);
  putHeader(batch, header);
  endMessage(batch);
  return batch;
}

function send(
  socket: NetlinkSocket,
  operation: string,
  put: (batch: Batch) => void,
  tolerated: readonly ErrnoCode[],
): void {
  const batch = createBatch(256);
  put(batch);
  const outcome = transact(socket, batch);
  if (outcome.state === 'unknown') throw new KernelError(operation, outcome.cause.errno, { cause: outcome.cause });
  const failure = outcome.failures[0];
  if (failure !== undefined && !tolerated.includes(failure.code)) {
    throw new KernelError(operation, failure.errno, { extendedAck: failure.extendedAck });
  }
}
