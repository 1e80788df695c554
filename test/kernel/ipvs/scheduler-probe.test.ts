import { describe, expect, it } from 'vitest';
import { schedulers } from '../../../src/core/model/virtual-server.ts';
import { probeSchedulers } from '../../../src/kernel/ipvs/scheduler-probe.ts';
import { createNetlinkSocket } from '../../../src/kernel/netlink/socket.ts';
import { scriptedHandle } from '../netlink/scripted-handle.ts';
import { acknowledgement, lastSequence, sequences } from './acknowledgement.ts';

const errno = { ENOENT: -2, EINVAL: -22, EAFNOSUPPORT: -97 } as const;
const newService = 1;
const deleteService = 3;

describe('asking for schedulers', () => {
  it('takes EINVAL for there and ENOENT for missing', () => {
    const handle = scriptedHandle((datagram) =>
      sequences(datagram).map((sequence, index) => acknowledgement(sequence, index < 3 ? errno.EINVAL : errno.ENOENT)),
    );
    expect([...probeSchedulers(createNetlinkSocket(handle), 0x17)]).toEqual(['rr', 'wrr', 'lc']);
  });

  it('names every scheduler of the list and makes nothing', () => {
    const handle = scriptedHandle((datagram) =>
      sequences(datagram).map((sequence) => acknowledgement(sequence, errno.EINVAL)),
    );
    probeSchedulers(createNetlinkSocket(handle), 0x17);
    expect(handle.sent).toHaveLength(1);
    for (const scheduler of schedulers) expect(handle.sent[0]?.includes(`${scheduler}\0`)).toBe(true);
  });

  it('without IPv6 makes virtual servers of marks and removes those that it made', () => {
    const handle = scriptedHandle((datagram, send) => {
      if (send === 0) return sequences(datagram).map((sequence) => acknowledgement(sequence, errno.EAFNOSUPPORT));
      const [first = 0] = sequences(datagram);
      const refused = send === 1 ? [acknowledgement(first, errno.ENOENT)] : [];
      return [...refused, acknowledgement(lastSequence(datagram), 0)];
    });
    expect([...probeSchedulers(createNetlinkSocket(handle), 0x17)]).toEqual(schedulers.slice(1));
    expect(handle.sent.map(commands)).toEqual([
      schedulers.map(() => newService),
      schedulers.map(() => newService),
      schedulers.slice(1).map(() => deleteService),
    ]);
  });
});

function commands(datagram: Buffer): readonly number[] {
  const found: number[] = [];
  for (let at = 0; at < datagram.length; at += datagram.readUInt32LE(at)) found.push(datagram.readUInt8(at + 16));
  return found;
}
