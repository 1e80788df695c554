/** Netlink protocols (include/uapi/linux/netlink.h). */
export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;
export const NETLINK_GENERIC = 16;

/** Message types of netlink itself; those of the protocols start at 16. */
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

/** Flags of every message. */
export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP_INTR = 0x10;

/** Flags of a read request. */
export const NLM_F_DUMP = 0x300;

/** Flags of a request that creates. */
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;

/** Flags of an acknowledgement: the offending message is left out, attributes of the extended ACK follow. */
export const NLM_F_CAPPED = 0x100;
export const NLM_F_ACK_TLVS = 0x200;

/** Bits of an attribute's type. */
export const NLA_F_NESTED = 0x8000;
export const NLA_TYPE_MASK = 0x3fff;

/** Lengths in bytes of `nlmsghdr`, `genlmsghdr`, `nfgenmsg` and `nlattr`. */
export const messageHeaderLength = 16;
export const genericHeaderLength = 4;
export const netfilterHeaderLength = 4;
export const attributeHeaderLength = 4;

/** Rounds up to the four bytes that messages and attributes are aligned to (NLMSG_ALIGN, NLA_ALIGN). */
export function align(length: number): number {
  return (length + 3) & ~3;
}
