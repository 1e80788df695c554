/** Numbers of nf_tables (include/uapi/linux/netfilter/nf_tables.h) and nfnetlink. */

export const NFNL_SUBSYS_NFTABLES = 10;
export const NFPROTO_INET = 1;

/** Message types, with the subsystem in the upper byte. */
export const NFT_MSG_DELTABLE = (NFNL_SUBSYS_NFTABLES << 8) | 2;
export const NFT_MSG_NEWCHAIN = (NFNL_SUBSYS_NFTABLES << 8) | 3;
export const NFT_MSG_GETCHAIN = (NFNL_SUBSYS_NFTABLES << 8) | 4;
export const NFT_MSG_NEWRULE = (NFNL_SUBSYS_NFTABLES << 8) | 6;
export const NFT_MSG_GETRULE = (NFNL_SUBSYS_NFTABLES << 8) | 7;
export const NFT_MSG_NEWSET = (NFNL_SUBSYS_NFTABLES << 8) | 9;
export const NFT_MSG_GETSET = (NFNL_SUBSYS_NFTABLES << 8) | 10;
export const NFT_MSG_NEWSETELEM = (NFNL_SUBSYS_NFTABLES << 8) | 12;
export const NFT_MSG_GETSETELEM = (NFNL_SUBSYS_NFTABLES << 8) | 13;
export const NFT_MSG_DELSETELEM = (NFNL_SUBSYS_NFTABLES << 8) | 14;

export const NFTA_TABLE_NAME = 1;
export const NFTA_CHAIN_TABLE = 1;
export const NFTA_CHAIN_NAME = 3;
export const NFTA_CHAIN_USERDATA = 12;
export const NFTA_RULE_TABLE = 1;
export const NFTA_SET_TABLE = 1;
export const NFTA_SET_NAME = 2;
export const NFTA_SET_FLAGS = 3;
export const NFTA_SET_KEY_TYPE = 4;
export const NFTA_SET_DATA_TYPE = 6;

export const NFT_SET_ANONYMOUS = 0x1;
export const NFT_SET_INTERVAL = 0x4;
export const NFT_SET_MAP = 0x8;

export const NFTA_SET_ELEM_LIST_TABLE = 1;
export const NFTA_SET_ELEM_LIST_SET = 2;
export const NFTA_SET_ELEM_LIST_ELEMENTS = 3;
export const NFTA_LIST_ELEM = 1;
export const NFTA_SET_ELEM_KEY = 1;
export const NFTA_SET_ELEM_DATA = 2;
export const NFTA_SET_ELEM_FLAGS = 3;
export const NFTA_SET_ELEM_USERDATA = 6;
export const NFTA_SET_ELEM_KEY_END = 10;
export const NFTA_DATA_VALUE = 1;

/** The element ends a range and is not in it. */
export const NFT_SET_ELEM_INTERVAL_END = 1;

/** The type of a comment in user data: NFTNL_UDATA_SET_ELEM_COMMENT and NFTNL_UDATA_CHAIN_COMMENT of libnftnl. */
export const NFTNL_UDATA_COMMENT = 0;

/** IP protocol numbers (IANA) of the protocols of a Service. */
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const IPPROTO_SCTP = 132;
