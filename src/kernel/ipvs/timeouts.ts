import { messageAttributes, nextAttribute, readU32 } from '../netlink/attribute-reader.ts';
import { putU32 } from '../netlink/attribute-writer.ts';
import { type Batch, beginMessage, endMessage, putGenericHeader, resetBatch } from '../netlink/batch.ts';
import { genericHeaderLength } from '../netlink/constants.ts';
import { NetlinkDecodeError } from '../netlink/decode-error.ts';
import type { MessageCursor } from '../netlink/message-reader.ts';
import { request } from '../netlink/request.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { command, familyVersion, topAttribute } from './constants.ts';

/** How long connections are remembered, in seconds. Of the network namespace, not of a virtual server. */
export interface IpvsTimeouts {
  readonly tcp: number;
  /** After a FIN. */
  readonly tcpFin: number;
  readonly udp: number;
}

/** What asking needs. */
export interface ConfigChannel {
  readonly socket: NetlinkSocket;
  readonly familyId: number;
  readonly batch: Batch;
}

/** Reads the timeouts (GET_CONFIG). Throws `KernelError`. */
export function readTimeouts(channel: ConfigChannel): IpvsTimeouts {
  const { batch, familyId, socket } = channel;
  resetBatch(batch);
  beginMessage(batch, familyId, 0);
  putGenericHeader(batch, command.getConfig, familyVersion);
  endMessage(batch);
  const [timeouts] = request(socket, 'read IPVS timeouts', batch, readAnswer);
  if (timeouts === undefined) throw new NetlinkDecodeError('no answer to the question for timeouts', 0);
  return timeouts;
}

/** Sets timeouts (SET_CONFIG). For the kernel 0 means "as it is". Throws `KernelError`: EINVAL above 2^31 jiffies. */
export function writeTimeouts(channel: ConfigChannel, timeouts: IpvsTimeouts): void {
  const { batch, familyId, socket } = channel;
  resetBatch(batch);
  beginMessage(batch, familyId, 0);
  putGenericHeader(batch, command.setConfig, familyVersion);
  putU32(batch, topAttribute.timeoutTcp, timeouts.tcp);
  putU32(batch, topAttribute.timeoutTcpFin, timeouts.tcpFin);
  putU32(batch, topAttribute.timeoutUdp, timeouts.udp);
  endMessage(batch);
  request(socket, 'set IPVS timeouts', batch, () => undefined);
}

function readAnswer(message: MessageCursor): IpvsTimeouts {
  const timeouts = { tcp: 0, tcpFin: 0, udp: 0 };
  const attributes = messageAttributes(message, genericHeaderLength);
  while (nextAttribute(attributes)) {
    switch (attributes.type) {
      case topAttribute.timeoutTcp:
        timeouts.tcp = readU32(attributes);
        break;
      case topAttribute.timeoutTcpFin:
        timeouts.tcpFin = readU32(attributes);
        break;
      case topAttribute.timeoutUdp:
        timeouts.udp = readU32(attributes);
        break;
      default:
        break;
    }
  }
  return timeouts;
}
