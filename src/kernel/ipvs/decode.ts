/** Answers to GET_SERVICE, GET_DEST and GET_CONFIG: ip_vs_genl_fill_service and following in ip_vs_ctl.c. */

import type { Family } from '../../core/model/facts.ts';
import type { VirtualServer, VirtualServerIdentity } from '../../core/model/virtual-server.ts';
import { readAddressText } from '../address-text.ts';
import {
  type AttributeCursor,
  messageAttributes,
  nestedAttributes,
  nextAttribute,
  readBe16,
  readBe32,
  readI32,
  readString,
  readU8,
  readU16,
  readU32,
  valueLength,
} from '../netlink/attribute-reader.ts';
import { genericHeaderLength } from '../netlink/constants.ts';
import { NetlinkDecodeError } from '../netlink/decode-error.ts';
import type { MessageCursor } from '../netlink/message-reader.ts';
import {
  destinationAttribute,
  familyOfNumber,
  forwardingOfFlags,
  hashedFlag,
  protocolOfNumber,
  serviceAttribute,
  topAttribute,
  tunnelTypeGue,
} from './constants.ts';
import { blankDestination, type MakeDestination, type ShownDestination } from './shown-destination.ts';
import { prefixLengthOfMask } from './sockopt-layout.ts';

/**
 * Reads a virtual server of one of `families`. Undefined for one of another family, and for a protocol that the model
 * has no word for. Throws `NetlinkDecodeError`.
 */
export function readVirtualServer(message: MessageCursor, families: ReadonlySet<Family>): VirtualServer | undefined {
  const attributes = findNest(message, topAttribute.service);
  // The family is the first attribute: most of a table is skipped for the price of this one.
  if (!nextAttribute(attributes) || attributes.type !== serviceAttribute.addressFamily) {
    throw new NetlinkDecodeError('a virtual server that does not begin with its family', attributes.value);
  }
  const family = familyOfNumber(readU16(attributes));
  if (family === undefined || !families.has(family)) return undefined;
  const read: ServiceFields = {
    protocol: 0,
    address: '',
    port: 0,
    mark: 0,
    scheduler: '',
    flags: 0,
    timeoutSeconds: 0,
    prefixLength: 0,
  };
  while (nextAttribute(attributes)) readServiceAttribute(attributes, family, read);
  const identity = identityOf(family, read);
  if (identity === undefined) return undefined;
  const { scheduler, flags, timeoutSeconds, prefixLength } = read;
  return { identity, scheduler, flags: (flags & ~hashedFlag) >>> 0, timeoutSeconds, prefixLength };
}

/** Reads a destination; `serviceFamily` holds where the kernel names none. Throws `NetlinkDecodeError`. */
export function readDestination<Item>(
  message: MessageCursor,
  serviceFamily: Family,
  make: MakeDestination<Item>,
): Item {
  const attributes = findNest(message, topAttribute.destination);
  const shown = blankDestination(message.received.bytes, serviceFamily);
  while (nextAttribute(attributes)) readDestinationAttribute(attributes, shown);
  if (shown.addressAt < 0) throw new NetlinkDecodeError('a destination without an address', attributes.value);
  return make(shown);
}

interface ServiceFields {
  protocol: number;
  address: string;
  port: number;
  mark: number;
  scheduler: string;
  flags: number;
  timeoutSeconds: number;
  prefixLength: number;
}

function readServiceAttribute(attribute: AttributeCursor, family: Family, into: ServiceFields): void {
  switch (attribute.type) {
    case serviceAttribute.protocol:
      into.protocol = readU16(attribute);
      break;
    case serviceAttribute.address:
      into.address = readAddressText(attribute.received.bytes, addressPosition(attribute), family);
      break;
    case serviceAttribute.port:
      into.port = readBe16(attribute);
      break;
    case serviceAttribute.firewallMark:
      into.mark = readU32(attribute);
      break;
    case serviceAttribute.schedulerName:
      into.scheduler = readString(attribute);
      break;
    case serviceAttribute.flags:
      into.flags = readU32(attribute);
      break;
    case serviceAttribute.timeout:
      into.timeoutSeconds = readU32(attribute);
      break;
    case serviceAttribute.netmask:
      into.prefixLength = family === 'IPv4' ? prefixLengthOfMask(readBe32(attribute)) : readU32(attribute);
      break;
    default:
      break;
  }
}

function identityOf(family: Family, read: ServiceFields): VirtualServerIdentity | undefined {
  if (read.mark !== 0) return { kind: 'fwmark', family, mark: read.mark };
  const protocol = protocolOfNumber(read.protocol);
  if (protocol === undefined) return undefined;
  return { kind: 'address', protocol, address: read.address, port: read.port };
}

function readDestinationAttribute(attribute: AttributeCursor, into: ShownDestination): void {
  switch (attribute.type) {
    case destinationAttribute.address:
      into.addressAt = addressPosition(attribute);
      break;
    case destinationAttribute.port:
      into.port = readBe16(attribute);
      break;
    case destinationAttribute.forwardingMethod:
      into.forwarding = forwardingOfFlags(readU32(attribute));
      break;
    case destinationAttribute.tunnelType:
      // After the method (ip_vs_genl_dump_dests).
      if (into.forwarding === 'tunnel' && readU8(attribute) === tunnelTypeGue) into.forwarding = 'gue';
      break;
    case destinationAttribute.weight:
      into.weight = readI32(attribute);
      break;
    case destinationAttribute.activeConnections:
      into.activeConnections = readU32(attribute);
      break;
    case destinationAttribute.inactiveConnections:
      into.inactiveConnections = readU32(attribute);
      break;
    case destinationAttribute.addressFamily:
      // After the address: which is why the address is only read at the end.
      into.family = familyOfNumber(readU16(attribute)) ?? into.family;
      break;
    default:
      break;
  }
}

/** Addresses have 16 bytes in answers, whatever their family. */
function addressPosition(attribute: AttributeCursor): number {
  if (valueLength(attribute) < 16) throw new NetlinkDecodeError('an address is cut short', attribute.value);
  return attribute.value;
}

function findNest(message: MessageCursor, type: number): AttributeCursor {
  const attributes = messageAttributes(message, genericHeaderLength);
  while (nextAttribute(attributes)) {
    if (attributes.type === type) return nestedAttributes(attributes);
  }
  throw new NetlinkDecodeError('an answer without its object', message.payload);
}
