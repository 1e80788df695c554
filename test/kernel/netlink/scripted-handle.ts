import type { NetlinkHandle } from '../../../native/index.ts';
import { type MessageCursor, messageCursor, nextMessage } from '../../../src/kernel/netlink/message-reader.ts';
import { receivedBytes } from '../../../src/kernel/netlink/received.ts';

/** A datagram to receive, or an errno that the receive fails with. */
export type Answer = Uint8Array | { readonly errno: number; readonly code: string };

/** A handle whose other end is a function, and what it was sent. */
export interface ScriptedHandle extends NetlinkHandle {
  readonly sent: readonly Buffer[];
}

/** Makes a handle whose answers to each send come from `kernel`. Receiving beyond them fails with ETIMEDOUT. */
export function scriptedHandle(kernel: (datagram: Buffer, send: number) => readonly Answer[]): ScriptedHandle {
  const sent: Buffer[] = [];
  const queue: Answer[] = [];
  let closed = false;
  const handle: ScriptedHandle = {
    sent,
    send(bytes, length = bytes.length) {
      requireOpen(closed);
      const datagram = Buffer.from(bytes.subarray(0, length));
      queue.push(...kernel(datagram, sent.length));
      sent.push(datagram);
    },
    receive(into, timeoutMs) {
      requireOpen(closed);
      const answer = queue.shift();
      if (answer === undefined && timeoutMs === 0) return 0;
      if (answer === undefined) throw systemError(110, 'ETIMEDOUT');
      if ('errno' in answer) throw systemError(answer.errno, answer.code);
      into.set(answer);
      return answer.length;
    },
    exchange(batch, length, replies, timeoutMs) {
      handle.send(batch, length);
      return handle.receive(replies, timeoutMs);
    },
    onReadable: () => undefined,
    ref: () => undefined,
    unref: () => undefined,
    close() {
      closed = true;
    },
    get closed() {
      return closed;
    },
  };
  return handle;
}

/** The fields of each message of a datagram. */
export function messagesOf(datagram: Buffer): readonly Pick<MessageCursor, 'type' | 'flags' | 'sequence'>[] {
  const cursor = messageCursor(receivedBytes(datagram), datagram.length);
  const messages = [];
  while (nextMessage(cursor)) {
    messages.push({ type: cursor.type, flags: cursor.flags, sequence: cursor.sequence });
  }
  return messages;
}

/** An NLMSG_ERROR as the kernel makes it with NETLINK_CAP_ACK; errno 0 acknowledges. */
export function errorMessage(sequence: number, errno: number): Buffer {
  const message = Buffer.alloc(36);
  message.writeUInt32LE(36, 0);
  message.writeUInt16LE(2, 4);
  message.writeUInt16LE(0x100, 6);
  message.writeUInt32LE(sequence, 8);
  message.writeInt32LE(-errno, 16);
  return message;
}

/** A message of any type with a payload. */
export function plainMessage(type: number, flags: number, sequence: number, payload: Uint8Array): Buffer {
  const message = Buffer.alloc(16 + ((payload.length + 3) & ~3));
  message.writeUInt32LE(16 + payload.length, 0);
  message.writeUInt16LE(type, 4);
  message.writeUInt16LE(flags, 6);
  message.writeUInt32LE(sequence, 8);
  message.set(payload, 16);
  return message;
}

function requireOpen(closed: boolean): void {
  if (closed) throw Object.assign(new Error('the socket is closed'), { code: 'ERR_SOCKET_CLOSED' });
}

function systemError(errno: number, code: string): Error {
  return Object.assign(new Error(code), { errno, code, syscall: 'recvmsg' });
}
