/** The requests that sluice makes of ctnetlink. */

import { familyOf, writeAddress } from '../../core/address.ts';
import type { Family } from '../../core/model/facts.ts';
import type { FlowEnd, UdpFlow } from '../../core/model/flow.ts';
import { familyNumber } from '../link/address-family.ts';
import { beginNest, endNest, putBe16, putBe32, putBytes, putU8, putU32 } from '../netlink/attribute-writer.ts';
import { type Batch, beginMessage, endMessage, putNetfilterHeader } from '../netlink/batch.ts';
import { IPPROTO_UDP } from '../nft/constants.ts';
import {
  CTA_FILTER,
  CTA_FILTER_F_CTA_PROTO_NUM,
  CTA_FILTER_ORIG_FLAGS,
  CTA_ID,
  CTA_IP_V4_DST,
  CTA_IP_V4_SRC,
  CTA_IP_V6_DST,
  CTA_IP_V6_SRC,
  CTA_PROTO_DST_PORT,
  CTA_PROTO_NUM,
  CTA_PROTO_SRC_PORT,
  CTA_TUPLE_IP,
  CTA_TUPLE_ORIG,
  CTA_TUPLE_PROTO,
  IPCTNL_MSG_CT_DELETE,
  IPCTNL_MSG_CT_GET,
} from './constants.ts';

/**
 * Appends the request for every UDP flow of a family; NLM_F_DUMP is for the sender to set. A kernel before 5.8 does not
 * know CTA_FILTER and answers with all protocols.
 */
export function putFlowDump(batch: Batch, family: Family): void {
  beginMessage(batch, IPCTNL_MSG_CT_GET, 0);
  putNetfilterHeader(batch, familyNumber(family), 0, 0);
  const tuple = beginNest(batch, CTA_TUPLE_ORIG);
  const protocol = beginNest(batch, CTA_TUPLE_PROTO);
  putU8(batch, CTA_PROTO_NUM, IPPROTO_UDP);
  endNest(batch, protocol);
  endNest(batch, tuple);
  const filter = beginNest(batch, CTA_FILTER);
  putU32(batch, CTA_FILTER_ORIG_FLAGS, CTA_FILTER_F_CTA_PROTO_NUM);
  endNest(batch, filter);
  endMessage(batch);
}

/**
 * Appends the deletion of one flow, by its original tuple and its number. Never without the tuple: the kernel then
 * takes the message for the deletion of everything (ctnetlink_del_conntrack in net/netfilter/nf_conntrack_netlink.c).
 */
export function putFlowDelete(batch: Batch, flow: UdpFlow): void {
  const family = familyOf(flow.source.address);
  beginMessage(batch, IPCTNL_MSG_CT_DELETE, 0);
  putNetfilterHeader(batch, familyNumber(family), 0, 0);
  const tuple = beginNest(batch, CTA_TUPLE_ORIG);
  putAddresses(batch, family, flow);
  putPorts(batch, flow);
  endNest(batch, tuple);
  putBe32(batch, CTA_ID, flow.id);
  endMessage(batch);
}

function putAddresses(batch: Batch, family: Family, flow: UdpFlow): void {
  const [from, to] = family === 'IPv4' ? [CTA_IP_V4_SRC, CTA_IP_V4_DST] : [CTA_IP_V6_SRC, CTA_IP_V6_DST];
  const nest = beginNest(batch, CTA_TUPLE_IP);
  putAddress(batch, from, flow.source);
  putAddress(batch, to, flow.destination);
  endNest(batch, nest);
}

function putPorts(batch: Batch, flow: UdpFlow): void {
  const nest = beginNest(batch, CTA_TUPLE_PROTO);
  putU8(batch, CTA_PROTO_NUM, IPPROTO_UDP);
  putBe16(batch, CTA_PROTO_SRC_PORT, flow.source.port);
  putBe16(batch, CTA_PROTO_DST_PORT, flow.destination.port);
  endNest(batch, nest);
}

const scratch = new Uint8Array(16);

function putAddress(batch: Batch, type: number, end: FlowEnd): void {
  const length = writeAddress(end.address, scratch, 0);
  putBytes(batch, type, scratch.subarray(0, length));
}
