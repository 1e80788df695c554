/** Further numbers of rtnetlink (include/uapi/linux/if_link.h, if_tunnel.h, ip.h) and of FOU (fou.h). */

export const IFLA_AF_SPEC = 26;
export const IFLA_INFO_DATA = 2;
export const IFLA_IPTUN_LOCAL = 2;
export const IFLA_IPTUN_PROTO = 9;

/** Inside IFLA_AF_SPEC: the settings of an interface, `net.ipv4.conf.NAME`, and how it makes link-local addresses. */
export const IFLA_INET_CONF = 1;
export const IFLA_INET6_ADDR_GEN_MODE = 8;
export const IN6_ADDR_GEN_MODE_NONE = 1;

/** IPV4_DEVCONF_*: which setting; they are counted from 1. */
export const IPV4_DEVCONF_RP_FILTER = 8;
export const IPV4_DEVCONF_ARP_ANNOUNCE = 18;
export const IPV4_DEVCONF_ARP_IGNORE = 19;

export const IPPROTO_IPV6 = 41;

export const fouFamily = 'fou';
export const fouVersion = 1;
export const FOU_CMD_ADD = 1;
export const FOU_CMD_DEL = 2;
export const FOU_CMD_GET = 3;
export const FOU_ATTR_PORT = 1;
export const FOU_ATTR_AF = 2;
export const FOU_ATTR_TYPE = 4;
export const FOU_ENCAP_GUE = 2;

/** Settings of a whole network namespace (include/uapi/linux/netconf.h). */
export const RTM_NEWNETCONF = 80;
export const RTM_GETNETCONF = 82;
export const NETCONFA_IFINDEX = 1;
export const NETCONFA_RP_FILTER = 3;
export const NETCONFA_IFINDEX_ALL = -1;
/** Length in bytes of `netconfmsg`. */
export const netconfHeaderLength = 1;
