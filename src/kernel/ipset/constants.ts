/** Numbers of include/uapi/linux/netfilter/ipset/ip_set.h and nfnetlink.h. */

const NFNL_SUBSYS_IPSET = 6;

export const IPSET_MSG_DESTROY = (NFNL_SUBSYS_IPSET << 8) | 3;
export const IPSET_MSG_LIST = (NFNL_SUBSYS_IPSET << 8) | 7;

/** The oldest protocol that every kernel in use speaks (IPSET_PROTOCOL_MIN). */
export const IPSET_PROTOCOL = 6;

export const IPSET_ATTR_PROTOCOL = 1;
export const IPSET_ATTR_SETNAME = 2;
export const IPSET_ATTR_FLAGS = 6;

export const IPSET_FLAG_LIST_SETNAME = 1 << 1;

/** Of IPSET_ERR_*: in use by a rule or by another set. */
export const IPSET_ERR_BUSY = 4100;
