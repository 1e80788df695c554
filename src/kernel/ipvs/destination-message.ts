/**
 * Messages about destinations, the bulk of all writing: each is a copy of a template in which only what differs from
 * the one before is written anew. Consecutive messages about one virtual server share its encoded identity.
 */

import type { IpvsOperation } from '../../core/model/operation.ts';
import { guePort } from '../../core/model/pod-tunnel.ts';
import type { Destination, VirtualServerIdentity } from '../../core/model/virtual-server.ts';
import { writeAddressText } from '../address-text.ts';
import { errno } from '../errno.ts';
import { beginNest, endNest, putBe16, putBytes, putU8, putU16, putU32 } from '../netlink/attribute-writer.ts';
import {
  type Batch,
  beginMessage,
  createBatch,
  endMessage,
  putFinished,
  putGenericHeader,
  resetBatch,
} from '../netlink/batch.ts';
import {
  addressFamilyNumber,
  command,
  destinationAttribute,
  familyVersion,
  forwardingNumber,
  topAttribute,
  tunnelTypeGue,
} from './constants.ts';
import { identityFamily, refuseDestination } from './refusal.ts';
import { putIdentityNest, rewriteIdentity } from './service-message.ts';

export type DestinationOperation = Extract<IpvsOperation, { readonly kind: `${string}-destination` }>;

/** A message ready to be copied. */
export interface DestinationTemplate {
  readonly familyId: number;
  readonly message: Batch;
  /** The bytes of the message, as long as it is: copying a part of a longer buffer costs more than the copy. */
  bytes: Uint8Array;
  kind: DestinationOperation['kind'] | undefined;
  identity: VirtualServerIdentity | undefined;
  /** Whether it says how a tunnel wraps. */
  isGue: boolean;
  /** A destination with the values of the message, but for its address; undefined: they are to be written. */
  like: Destination | undefined;
  /** How many bytes of the address are in use: 4 or 16. */
  addressBytes: number;
  /** Where the DEST nest begins in the message. */
  nest: number;
}

/** Makes the template of a family id that `resolveGenericFamily` gave. */
export function createDestinationTemplate(familyId: number): DestinationTemplate {
  const message = createBatch(256);
  return {
    familyId,
    message,
    bytes: message.bytes.subarray(0, 0),
    kind: undefined,
    identity: undefined,
    isGue: false,
    like: undefined,
    addressBytes: 4,
    nest: 0,
  };
}

/** Appends NEW_DEST, SET_DEST or DEL_DEST. Returns 0, or an errno, with nothing written, for what must not be sent. */
export function encodeDestination(
  batch: Batch,
  template: DestinationTemplate,
  operation: DestinationOperation,
): number {
  const { destination, identity, kind } = operation;
  if (!sharesValues(template.like, destination)) {
    const refused = refuseDestination(destination);
    if (refused !== 0) return refused;
  }
  // Operations of one virtual server share the identity object; an equal one of its own merely costs a new template.
  const isGue = destination.forwarding === 'gue';
  if (template.identity !== identity || template.kind !== kind || template.isGue !== isGue) {
    const unwritten = isLike(template, operation)
      ? rewriteTemplate(template, identity)
      : prepareTemplate(template, kind, identity, isGue);
    if (unwritten !== 0) return unwritten;
  }
  if (!sharesValues(template.like, destination)) writeValues(template, destination);
  if (!writeAddress(template, destination.address)) return errno.EINVAL;
  putFinished(batch, template.bytes);
  return 0;
}

/** Nearly all destinations of a table have the port, weight and forwarding method of the one before. */
function sharesValues(like: Destination | undefined, { port, weight, forwarding }: Destination): boolean {
  return like !== undefined && like.port === port && like.weight === weight && like.forwarding === forwarding;
}

function writeValues(template: DestinationTemplate, destination: Destination): void {
  const { view } = template.message;
  const { nest } = template;
  view.setUint16(nest + offset.port, destination.port, false);
  if (template.kind !== 'remove-destination') {
    view.setUint32(nest + offset.forwarding, forwardingNumber[destination.forwarding], true);
    view.setInt32(nest + offset.weight, destination.weight, true);
  }
  template.like = destination;
}

/** An IPv4 address takes the first 4 of 16 bytes; the others are 0 but after an IPv6 one. False when it is no address. */
function writeAddress(template: DestinationTemplate, address: string): boolean {
  const { bytes, view } = template.message;
  const { nest, addressBytes } = template;
  const written = writeAddressText(address, bytes, nest + offset.address);
  if (written === addressBytes) return true;
  // Also after a text that turned out to be no address at its end.
  bytes.fill(0, nest + offset.address + written, nest + offset.address + 16);
  if (written === 0) return false;
  template.addressBytes = written;
  view.setUint16(nest + offset.family, written === 4 ? addressFamilyNumber.IPv4 : addressFamilyNumber.IPv6, true);
  return true;
}

/** Where the values stand, counted from the start of the DEST nest in the order in which `putDestination` writes. */
const offset = { address: 8, port: 28, family: 36, forwarding: 44, weight: 52 } as const;

const commandOf = {
  'add-destination': command.newDestination,
  'edit-destination': command.setDestination,
  'remove-destination': command.deleteDestination,
} as const satisfies Record<DestinationOperation['kind'], number>;

/** Whether nothing but the virtual server's address, protocol and port may differ. */
function isLike({ kind, identity, isGue }: DestinationTemplate, operation: DestinationOperation): boolean {
  return (
    kind === operation.kind &&
    isGue === (operation.destination.forwarding === 'gue') &&
    identity?.kind === 'address' &&
    operation.identity.kind === 'address' &&
    identityFamily(identity) === identityFamily(operation.identity)
  );
}

function rewriteTemplate(template: DestinationTemplate, identity: VirtualServerIdentity): number {
  template.identity = undefined;
  const unwritten = identity.kind === 'address' ? rewriteIdentity(template.message, identity) : 0;
  if (unwritten === 0) template.identity = identity;
  return unwritten;
}

function prepareTemplate(
  template: DestinationTemplate,
  kind: DestinationOperation['kind'],
  identity: VirtualServerIdentity,
  isGue: boolean,
): number {
  const { message } = template;
  template.identity = undefined;
  resetBatch(message);
  beginMessage(message, template.familyId, 0);
  putGenericHeader(message, commandOf[kind], familyVersion);
  const unwritten = putIdentityNest(message, identity);
  if (unwritten !== 0) return unwritten;
  template.nest = message.length;
  putDestination(message, kind, isGue);
  endMessage(message);
  template.bytes = message.bytes.subarray(0, message.length);
  template.identity = identity;
  template.kind = kind;
  template.isGue = isGue;
  template.like = undefined;
  template.addressBytes = 4;
  return 0;
}

/** The DEST nest with its values still to be filled in. Thresholds are 0: no limit. */
function putDestination(message: Batch, kind: DestinationOperation['kind'], isGue: boolean): void {
  const nest = beginNest(message, topAttribute.destination);
  putBytes(message, destinationAttribute.address, new Uint8Array(16));
  putBe16(message, destinationAttribute.port, 0);
  putU16(message, destinationAttribute.addressFamily, addressFamilyNumber.IPv4);
  if (kind !== 'remove-destination') {
    putU32(message, destinationAttribute.forwardingMethod, 0);
    putU32(message, destinationAttribute.weight, 0);
    putU32(message, destinationAttribute.upperThreshold, 0);
    putU32(message, destinationAttribute.lowerThreshold, 0);
    if (isGue) putGue(message);
  }
  endNest(message, nest);
}

/** Without flags: no checksum. */
function putGue(message: Batch): void {
  putU8(message, destinationAttribute.tunnelType, tunnelTypeGue);
  putBe16(message, destinationAttribute.tunnelPort, guePort);
  putU16(message, destinationAttribute.tunnelFlags, 0);
}
