const brand: unique symbol = Symbol.for('sluice.NetlinkDecodeError');

/** Received bytes that are not what the protocol says. The only error that the readers of this folder throw. */
export class NetlinkDecodeError extends Error {
  override readonly name = 'NetlinkDecodeError';
  readonly [brand] = true;
  /** Where in the received bytes. */
  readonly offset: number;

  constructor(problem: string, offset: number) {
    super(`${problem} at byte ${offset} of a netlink datagram`);
    this.offset = offset;
  }
}

/** Recognises a `NetlinkDecodeError`, also one that another copy of this module made. */
export function isNetlinkDecodeError(value: unknown): value is NetlinkDecodeError {
  return typeof value === 'object' && value !== null && brand in value;
}
