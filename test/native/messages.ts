/** An NLMSG_NOOP that asks for an acknowledgement: every netlink protocol answers it, without any privilege. */
export function noopMessages(count: number): Buffer {
  const bytes = Buffer.alloc(count * 16);
  for (let index = 0; index < count; index += 1) {
    bytes.writeUInt32LE(16, index * 16);
    bytes.writeUInt16LE(1, index * 16 + 4);
    bytes.writeUInt16LE(0x5, index * 16 + 6);
    bytes.writeUInt32LE(index + 1, index * 16 + 8);
  }
  return bytes;
}

/** A dump of all links (RTM_GETLINK), which needs no privilege. */
export function linkDump(): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32LE(32, 0);
  bytes.writeUInt16LE(18, 4);
  bytes.writeUInt16LE(0x301, 6);
  return bytes;
}

/** What a call throws. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (thrown) {
    return thrown;
  }
  throw new Error('expected the call to throw');
}
