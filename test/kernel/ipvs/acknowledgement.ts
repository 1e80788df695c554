import type { Answer } from '../netlink/scripted-handle.ts';

/** The sequence numbers of the messages in a datagram. */
export function sequences(datagram: Buffer): readonly number[] {
  const found: number[] = [];
  for (let at = 0; at < datagram.length; at += datagram.readUInt32LE(at)) found.push(datagram.readUInt32LE(at + 8));
  return found;
}

export function lastSequence(datagram: Buffer): number {
  return sequences(datagram).at(-1) ?? 0;
}

/** NLMSG_ERROR with 0 or a negative errno, capped. */
export function acknowledgement(sequence: number, error: number): Answer {
  const bytes = Buffer.alloc(36);
  bytes.writeUInt32LE(36, 0);
  bytes.writeUInt16LE(2, 4);
  bytes.writeUInt16LE(0x100, 6);
  bytes.writeUInt32LE(sequence, 8);
  bytes.writeInt32LE(error, 16);
  return bytes;
}
