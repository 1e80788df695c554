/** Messages about virtual servers: ip_vs_genl_parse_service in net/netfilter/ipvs/ip_vs_ctl.c is their reader. */

import { type VirtualServer, type VirtualServerIdentity, virtualServerFlags } from '../../core/model/virtual-server.ts';
import { writeAddressText } from '../address-text.ts';
import { errno } from '../errno.ts';
import {
  beginNest,
  endNest,
  putBe16,
  putBe32,
  putBytes,
  putString,
  putU16,
  putU32,
} from '../netlink/attribute-writer.ts';
import { abandonMessage, type Batch, beginMessage, endMessage, putGenericHeader } from '../netlink/batch.ts';
import {
  addressFamilyNumber,
  command,
  familyVersion,
  protocolNumber,
  serviceAttribute,
  topAttribute,
} from './constants.ts';
import { identityFamily, refuseIdentity, refuseVirtualServer } from './refusal.ts';

/**
 * Every flag that sluice knows. The kernel keeps flags outside the mask as they were: a smaller mask could not take a
 * flag away again.
 */
const flagsMask = Object.values(virtualServerFlags).reduce((mask, flag) => mask | flag, 0);

/** Appends NEW_SERVICE or SET_SERVICE. Returns 0, or an errno, with nothing written, for what must not be sent. */
export function encodeVirtualServer(
  batch: Batch,
  familyId: number,
  kind: 'add-virtual-server' | 'edit-virtual-server',
  server: VirtualServer,
): number {
  const refused = refuseVirtualServer(server);
  if (refused !== 0) return refused;
  return kind === 'add-virtual-server'
    ? encodeNewService(batch, familyId, server)
    : encodeService(batch, familyId, command.setService, server);
}

/** Appends NEW_SERVICE without a look at the scheduler, the prefix length and the timeout. Returns as above. */
export function encodeNewService(batch: Batch, familyId: number, server: VirtualServer): number {
  return encodeService(batch, familyId, command.newService, server);
}

/** Appends a message that names a virtual server and nothing else: DEL_SERVICE, GET_SERVICE, GET_DEST. As above. */
export function encodeIdentity(
  batch: Batch,
  familyId: number,
  commandNumber: number,
  identity: VirtualServerIdentity,
): number {
  beginMessage(batch, familyId, 0);
  putGenericHeader(batch, commandNumber, familyVersion);
  const unwritten = putIdentityNest(batch, identity);
  if (unwritten !== 0) return abandon(batch, unwritten);
  endMessage(batch);
  return 0;
}

/** Appends the SERVICE nest that names a virtual server. Returns 0 or EINVAL. */
export function putIdentityNest(batch: Batch, identity: VirtualServerIdentity): number {
  const nest = beginNest(batch, topAttribute.service);
  const unwritten = putIdentity(batch, identity);
  endNest(batch, nest);
  return unwritten;
}

/**
 * Writes another identity over that of the only message in `message`, which begins with it: both have to be an address, of
 * the same family. Returns 0 or EINVAL; after EINVAL the message must not be sent, but may be written over again.
 */
export function rewriteIdentity({ bytes, view }: Batch, identity: AddressIdentity): number {
  const refused = refuseIdentity(identity);
  if (refused !== 0) return refused;
  if (writeAddressText(identity.address, bytes, at.address) === 0) return errno.EINVAL;
  view.setUint16(at.protocol, protocolNumber[identity.protocol], true);
  view.setUint16(at.port, identity.port, false);
  return 0;
}

export type AddressIdentity = Extract<VirtualServerIdentity, { readonly kind: 'address' }>;

/** Where the values of an address stand: behind two headers and that of the nest, in the order of `putIdentity`. */
const at = { protocol: 36, address: 44, port: 64 } as const;

function encodeService(batch: Batch, familyId: number, commandNumber: number, server: VirtualServer): number {
  beginMessage(batch, familyId, 0);
  putGenericHeader(batch, commandNumber, familyVersion);
  const nest = beginNest(batch, topAttribute.service);
  const unwritten = putIdentity(batch, server.identity);
  if (unwritten !== 0) return abandon(batch, unwritten);
  putString(batch, serviceAttribute.schedulerName, server.scheduler);
  putFlags(batch, server.flags & flagsMask);
  putU32(batch, serviceAttribute.timeout, server.timeoutSeconds);
  putNetmask(batch, server);
  endNest(batch, nest);
  endMessage(batch);
  return 0;
}

function putIdentity(batch: Batch, identity: VirtualServerIdentity): number {
  const refused = refuseIdentity(identity);
  if (refused !== 0) return refused;
  putU16(batch, serviceAttribute.addressFamily, addressFamilyNumber[identityFamily(identity)]);
  if (identity.kind === 'fwmark') {
    putU32(batch, serviceAttribute.firewallMark, identity.mark);
    return 0;
  }
  const address = new Uint8Array(16);
  if (writeAddressText(identity.address, address, 0) === 0) return errno.EINVAL;
  putU16(batch, serviceAttribute.protocol, protocolNumber[identity.protocol]);
  putBytes(batch, serviceAttribute.address, address);
  putBe16(batch, serviceAttribute.port, identity.port);
  return 0;
}

/** `struct ip_vs_flags`: flags, then the mask of those that are meant. */
function putFlags(batch: Batch, flags: number): void {
  const value = new Uint8Array(8);
  const view = new DataView(value.buffer);
  view.setUint32(0, flags, true);
  view.setUint32(4, flagsMask, true);
  putBytes(batch, serviceAttribute.flags, value);
}

/** A mask in network order for IPv4; for IPv6 the prefix length in host order, refused when 0 even if never used. */
function putNetmask(batch: Batch, server: VirtualServer): void {
  if (identityFamily(server.identity) === 'IPv6') {
    putU32(batch, serviceAttribute.netmask, server.prefixLength);
  } else {
    // A shift by 32 is a shift by 0 in JavaScript.
    const mask = server.prefixLength === 0 ? 0 : (0xffff_ffff << (32 - server.prefixLength)) >>> 0;
    putBe32(batch, serviceAttribute.netmask, mask);
  }
}

function abandon(batch: Batch, refused: number): number {
  abandonMessage(batch);
  return refused;
}
