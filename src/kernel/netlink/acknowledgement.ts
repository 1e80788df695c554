import { type AttributeCursor, nextAttribute, readString } from './attribute-reader.ts';
import { align, messageHeaderLength, NLM_F_ACK_TLVS, NLM_F_CAPPED } from './constants.ts';
import { NetlinkDecodeError } from './decode-error.ts';
import { type MessageCursor, payloadI32, payloadU32 } from './message-reader.ts';

/** NLMSGERR_ATTR_MSG: the text of an extended acknowledgement. */
const messageAttribute = 1;

/** The errno of an NLMSG_ERROR or NLMSG_DONE message as a positive number; 0 is success. */
export function acknowledgedErrno(message: MessageCursor): number {
  // The kernel answers with 0 or a negative errno; a positive one would be a fault of the sender.
  return Math.abs(payloadI32(message, 0));
}

/**
 * The text of the extended acknowledgement, if there is one. `struct nlmsgerr` is an int and the header of the
 * offending message, whose payload is left out where NLM_F_CAPPED is set; attributes follow (net/netlink/af_netlink.c,
 * netlink_ack).
 */
export function extendedAckText(message: MessageCursor): string | undefined {
  if ((message.flags & NLM_F_ACK_TLVS) === 0) return undefined;
  const capped = (message.flags & NLM_F_CAPPED) !== 0;
  const original = capped ? messageHeaderLength : payloadU32(message, 4);
  // Checked before it is rounded up: as a 32-bit integer a wrong length could turn negative.
  if (original > message.messageEnd - message.payload) {
    throw new NetlinkDecodeError(`an offending message of ${original} bytes`, message.payload + 4);
  }
  return textFrom(message, message.payload + 4 + align(original));
}

/** The same for NLMSG_DONE, whose attributes follow the errno (netlink_dump_done). */
export function extendedDoneText(message: MessageCursor): string | undefined {
  if ((message.flags & NLM_F_ACK_TLVS) === 0) return undefined;
  return textFrom(message, message.payload + 4);
}

function textFrom(message: MessageCursor, start: number): string | undefined {
  const cursor: AttributeCursor = {
    received: message.received,
    end: message.messageEnd,
    next: start,
    type: 0,
    value: 0,
    valueEnd: 0,
  };
  while (nextAttribute(cursor)) {
    if (cursor.type === messageAttribute) return readString(cursor);
  }
  return undefined;
}
