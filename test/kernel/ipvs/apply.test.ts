import { describe, expect, it } from 'vitest';
import type { IpvsOperation } from '../../../src/core/model/operation.ts';
import { applyIpvsOperations, type Writer } from '../../../src/kernel/ipvs/apply.ts';
import { createEncoder } from '../../../src/kernel/ipvs/encode.ts';
import { createBatch } from '../../../src/kernel/netlink/batch.ts';
import { createNetlinkSocket } from '../../../src/kernel/netlink/socket.ts';
import { scriptedHandle } from '../netlink/scripted-handle.ts';
import { acknowledgement, lastSequence, sequences } from './acknowledgement.ts';
import { addDestination, addressIdentity, destination } from './operations.ts';

const web = addressIdentity();

/** Enough for three sends of 64 KiB. */
const many: readonly IpvsOperation[] = Array.from({ length: 1200 }, (_, index) =>
  addDestination(web, destination('10.1.0.1', { port: index + 1 })),
);

describe('applying operations', () => {
  it('sends them in pieces of at most 64 KiB, in order, each acknowledged once', () => {
    const handle = scriptedHandle((datagram) => [acknowledgement(lastSequence(datagram), 0)]);
    expect(applyIpvsOperations(writerOn(handle), many)).toEqual({ failures: [], unknown: false });
    expect(handle.sent).toHaveLength(3);
    expect(handle.sent.every(({ length }) => length <= 65_536)).toBe(true);
    expect(handle.sent.flatMap(sequences)).toEqual(many.map((_, index) => index + 1));
  });

  it('names failures by their place among all operations, those refused before sending included', () => {
    const handle = scriptedHandle((datagram) => [
      ...sequences(datagram)
        .filter((sequence) => sequence === 1000)
        .map((sequence) => acknowledgement(sequence, -17)),
      acknowledgement(lastSequence(datagram), 0),
    ]);
    const unsendable = addDestination(web, destination('nowhere'));
    const result = applyIpvsOperations(writerOn(handle), [...many.slice(0, 3), unsendable, ...many.slice(3)]);
    expect(result.failures.map(({ index, error }) => [index, error.code])).toEqual([
      [3, 'EINVAL'],
      [1000, 'EEXIST'],
    ]);
  });

  it('goes on when answers were dropped, and names the operations of which it does not know', () => {
    const handle = scriptedHandle((datagram, send) =>
      send === 1 ? [{ errno: 105, code: 'ENOBUFS' }] : [acknowledgement(lastSequence(datagram), 0)],
    );
    const { failures, unknown } = applyIpvsOperations(writerOn(handle), many);
    expect(unknown).toBe(true);
    expect(handle.sent).toHaveLength(3);
    const [first = 0, second = 0] = handle.sent.map((datagram) => sequences(datagram).length);
    expect(failures.map(({ index }) => index)).toEqual(Array.from({ length: second }, (_, index) => first + index));
    expect(new Set(failures.map(({ error }) => error.code))).toEqual(new Set(['ENOBUFS']));
  });

  it('stops when the kernel does not answer, and names all from there on', () => {
    const handle = scriptedHandle((datagram, send) => (send === 0 ? [acknowledgement(lastSequence(datagram), 0)] : []));
    const { failures, unknown } = applyIpvsOperations(writerOn(handle), many);
    expect(unknown).toBe(true);
    expect(handle.sent).toHaveLength(2);
    const settled = sequences(handle.sent[0] ?? Buffer.alloc(0)).length;
    expect(failures.map(({ index }) => index)).toEqual(
      Array.from({ length: many.length - settled }, (_, index) => settled + index),
    );
  });
});

function writerOn(handle: ReturnType<typeof scriptedHandle>): Writer {
  return { socket: createNetlinkSocket(handle), batch: createBatch(), encoder: createEncoder(0x17) };
}
