/**
 * Bytes that other programs and the kernel exchanged, recorded on Linux 6.18 (x86-64) in fresh namespaces with
 *
 *     unshare -rn strace -f -e trace=sendmsg,sendto,recvmsg -e write=3,4 -e read=3,4 COMMAND
 *
 * where COMMAND (iproute2 6.1, nftables 1.0.6) is named at each constant. Nothing here was written by our codec.
 */
/** `ip address add 127.0.0.2/32 dev lo`: what iproute2 sends. */
export const addAddress = hex(`
  28000000 14000506 c769016b 00000000 022000fe 01000000 08000200 7f000002
  08000100 7f000002
`);

/** The kernel's acknowledgement of it, capped (NETLINK_CAP_ACK). */
export const addressAcknowledged = hex(`
  24000000 02000001 c769016b 1e200000 00000000 28000000 14000506 c769016b
  00000000
`);

/** The kernel's refusal of `ip route add 10.0.0.0/8 via 10.1.1.1` with only `lo` up, with the offending message and an extended acknowledgement. */
export const routeRefused = hex(`
  60000000 02000002 f369016b f7240000 9bffffff 2c000000 18000506 f369016b
  00000000 02080000 fe030001 00000000 08000100 0a000000 08000500 0a010101
  20000100 4e657874 686f7020 68617320 696e7661 6c696420 67617465 77617900
`);

/** `ip rule show`: the answer of a fresh namespace, three rules and NLMSG_DONE in one datagram. */
export const rulesDump = hex(`
  34000000 20000200 f369016b 00250000 02000000 ff000001 00000000 08000f00
  ff000000 08000e00 ffffffff 05001500 02000000 3c000000 20000200 f369016b
  00250000 02000000 fe000001 00000000 08000f00 fe000000 08000e00 ffffffff
  05001500 02000000 08000600 fe7f0000 3c000000 20000200 f369016b 00250000
  02000000 fd000001 00000000 08000f00 fd000000 08000e00 ffffffff 05001500
  02000000 08000600 ff7f0000 14000000 03000200 f369016b 00250000 00000000
`);

/** `genl ctrl get name nlctrl`: what it sends. */
export const getFamily = hex(`
  20000000 10000500 db69016b 00000000 03000000 0b000200 6e6c6374 726c0000
`);

/** The controller's answer. */
export const familyAnswer = hex(`
  88000000 10000000 db69016b 74200000 01020000 0b000200 6e6c6374 726c0000
  06000100 10000000 08000300 02000000 08000400 00000000 08000500 00000000
  2c000600 14000100 08000100 03000000 08000200 0e000000 14000200 08000100
  0a000000 08000200 0c000000 1c000700 18000100 08000200 10000000 0b000100
  6e6f7469 66790000
`);

/** The answer to `genl ctrl get name IPVS` on a kernel without IPVS. */
export const familyMissing = hex(`
  34000000 02000000 db69016b 7a200000 feffffff 20000000 10000500 db69016b
  00000000 03000000 09000200 49505653 00000000
`);

/** `nft 'add table ip golden; add set ip golden vips { type ipv4_addr . inet_proto . inet_service; };
 * add element ip golden vips { 10.0.0.1 . tcp . 80 }'`: the whole transaction as libnftnl sends it. */
export const nftablesTransaction = hex(`
  14000000 10000100 00000000 00000000 0000000a 28000000 000a0100 01000000
  00000000 02000000 0b000100 676f6c64 656e0000 08000200 00000000 60000000
  090a0104 02000000 00000000 02000000 0b000100 676f6c64 656e0000 09000200
  76697073 00000000 08000300 00000000 08000400 0000730d 08000500 0000000c
  08000a00 00000001 14000d00 00040000 00000308 00040d00 00000100 50000000
  0c0a0104 03000000 00000000 02000000 0b000100 676f6c64 656e0000 09000200
  76697073 00000000 08000400 00000001 1c000380 18000180 14000180 10000100
  0a000001 06000000 00500000 14000000 11000100 04000000 00000000 0000000a
`);

/** Reads bytes written as hexadecimal digits with any white space. */
export function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(/\s+/g, ''), 'hex');
}
