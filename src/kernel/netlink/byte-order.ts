/**
 * Netlink integers are in host order unless said otherwise. The codec writes little-endian, so a big-endian machine is
 * refused when the codec is loaded rather than programmed wrongly.
 */
export function requireLittleEndianHost(firstByteOfOne: number | undefined): void {
  if (firstByteOfOne !== 1) throw new Error('sluice runs on little-endian machines only; this one is big-endian');
}

requireLittleEndianHost(new Uint8Array(Uint16Array.of(1).buffer)[0]);
