/**
 * kube-router's policy routing for direct server return, by its numbers: rules for the tables 78 and 79, and table 78's
 * route. sluice has the same table and priority (identity.ts), with its own protocol number.
 */

import type { Family } from '../../core/model/facts.ts';
import { errno } from '../error.ts';
import { beginMessage, createBatch, endMessage, putHeader } from '../netlink/batch.ts';
import { dump } from '../netlink/dump.ts';
import type { MessageCursor } from '../netlink/message-reader.ts';
import { payloadU8 } from '../netlink/message-reader.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { familyNumber, familyOfNumber } from './address-family.ts';
import { type RoutingRule, readRoutingRule } from './decode-rule.ts';
import { putRoutingRule } from './encode-rule.ts';
import { routeProtocol, steeringTable } from './identity.ts';
import { perform, question } from './link-message.ts';
import {
  RTM_DELROUTE,
  RTM_DELRULE,
  RTM_GETROUTE,
  RTM_GETRULE,
  RTM_NEWROUTE,
  RTN_LOCAL,
  routeHeaderLength,
  ruleHeaderLength,
} from './rtnetlink.ts';

/** A rule of kube-router's. */
export type OtherRule = Omit<RoutingRule, 'protocol'>;

/** Of both families. Throws KernelError. */
export function readOtherRules(socket: NetlinkSocket): readonly OtherRule[] {
  return dump(socket, 'dump rules', question(RTM_GETRULE, ruleHeaderLength), readOtherRule);
}

/** Gone already is well. Throws KernelError. */
export function removeOtherRule(socket: NetlinkSocket, rule: OtherRule): void {
  const batch = createBatch(128);
  beginMessage(batch, RTM_DELRULE, 0);
  putRoutingRule(batch, rule);
  endMessage(batch);
  perform(socket, `remove the rule for table ${rule.table}`, batch, errno.ENOENT);
}

/** Its tables with their priorities (pkg/controllers/proxy/network_services_controller.go, 2.10). */
const priorities: ReadonlyMap<number, number> = new Map([
  [78, 32_764],
  [79, 32_765],
]);

function readOtherRule(message: MessageCursor): OtherRule | undefined {
  const rule = readRoutingRule(message);
  if (rule === undefined || rule.protocol === routeProtocol || priorities.get(rule.table) !== rule.priority) {
    return undefined;
  }
  const { family, priority, table, mark } = rule;
  return { family, priority, table, mark };
}

/** `local default` of table 78. */
export interface OtherRoute {
  readonly family: Family;
  readonly protocol: number;
  readonly scope: number;
}

/** Of both families. Throws KernelError. */
export function readOtherRoutes(socket: NetlinkSocket): readonly OtherRoute[] {
  return dump(socket, 'dump routes', question(RTM_GETROUTE, routeHeaderLength), readOtherRoute);
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
