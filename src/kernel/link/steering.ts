/**
 * What brings packets to steered VIPs to this node: a rule for their mark, and a table in which everything is local. Both
 * stand while there is a steered VIP of their family, and carry sluice's protocol number.
 */

import { type Family, families } from '../../core/model/facts.ts';
import { errno } from '../error.ts';
import { putU8, putU32 } from '../netlink/attribute-writer.ts';
import { type Batch, beginMessage, endMessage, putHeader } from '../netlink/batch.ts';
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../netlink/constants.ts';
import { dump } from '../netlink/dump.ts';
import { type MessageCursor, payloadU8 } from '../netlink/message-reader.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { familyNumber, familyOfNumber } from './address-family.ts';
import { readRoutingRule } from './decode-rule.ts';
import { putRoutingRule } from './encode-rule.ts';
import { routeMetric, routeProtocol, steeringPriority, steeringTable } from './identity.ts';
import { question, tell } from './link-message.ts';
import {
  FRA_PROTOCOL,
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
  tell(socket, 'make the route of steered VIPs', (batch) => putSteeringRoute(batch, family, loopback));
  const rule = { family, mark, mask: mark };
  tell(socket, 'make the rule of steered VIPs', (batch) => putRule(batch, RTM_NEWRULE, rule), errno.EEXIST);
  for (const each of stale) removeRule(socket, each);
}

/** Removes what `ensureSteering` made. Throws KernelError. */
export function removeSteering(socket: NetlinkSocket, family: Family): void {
  for (const rule of readSteeringRules(socket).filter((each) => each.family === family)) removeRule(socket, rule);
  tell(socket, 'remove the route of steered VIPs', (batch) => putSteeringRouteRemoval(batch, family), errno.ESRCH);
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
  tell(socket, 'remove the rule of steered VIPs', (batch) => putRule(batch, RTM_DELRULE, rule), errno.ENOENT);
}

/** A rule of sluice's: by protocol number, table and priority. */
function readSteeringRule(message: MessageCursor): SteeringRule | undefined {
  const rule = readRoutingRule(message);
  const isOurs = rule?.protocol === routeProtocol && rule.table === steeringTable && rule.priority === steeringPriority;
  return isOurs ? { family: rule.family, mark: rule.mark?.value ?? 0, mask: rule.mark?.mask ?? 0 } : undefined;
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

/** EEXIST, with NLM_F_EXCL: the rule is there. */
function putRule(batch: Batch, type: number, { family, mark, mask }: SteeringRule): void {
  beginMessage(batch, type, type === RTM_NEWRULE ? NLM_F_CREATE | NLM_F_EXCL : 0);
  putRoutingRule(batch, { family, priority: steeringPriority, table: steeringTable, mark: { value: mark, mask } });
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
