import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FilterElement } from '../../../src/core/model/filter-element.ts';
import { createBatch } from '../../../src/kernel/netlink/batch.ts';
import { isNetlinkDecodeError } from '../../../src/kernel/netlink/decode-error.ts';
import { type MessageCursor, messageCursor, nextMessage } from '../../../src/kernel/netlink/message-reader.ts';
import { receivedBytes } from '../../../src/kernel/netlink/received.ts';
import { copyElements } from '../../../src/kernel/nft/decode-element.ts';
import { type ElementList, type ElementVerb, putElements } from '../../../src/kernel/nft/encode-element.ts';
import { copyBoundaries, makeRanges } from '../../../src/kernel/nft/ranges-alone.ts';
import { layoutOf, type SetLayout, setLayouts } from '../../../src/kernel/nft/set-layout.ts';
import { oneOfEach } from './contract.ts';

/*
 * Recorded on Linux 6.18 (x86-64) in a fresh network namespace with nftables 1.0.6:
 *
 *     strace -e trace=sendmsg,recvmsg -e write=3 -e read=3 nft COMMAND
 */
/** `add element inet sluice virtual_servers4 { 10.96.0.1 . tcp . 80 comment "default/web:http" }`: its list of elements. */
const addVirtualServer = `
  34000380 30000180 14000180 10000100 0a600001 06000000 00500000 17000600 0011 64656661756c742f7765623a6874747000 00`;
/** `add element inet sluice inside_view6 { 2001:db8::1 . udp . 443 : 0x12345678 }`: the same. */
const addView = `
  34000380 30000180 20000180 1c000100 20010db8000000000000000000000001 11000000 01bb0000 0c000280 08000100 78563412`;
/** `delete element inet sluice hairpin4 { 10.1.0.2 . 10.1.0.2 }`: all of the message behind the netlink header. */
const deleteHairpin = `
  01000000 0b000100 736c756963650000 0d000200 6861697270696e3400000000
  18000380 14000180 10000180 0c000100 0a010002 0a010002`;
/** `add element inet sluice allowed_sources6 { 2001:db8::1 . udp . 443 . 2001:db8:113::/56 }`: its list of elements. */
const addSource = `
  68000380 64000180 30000180 2c000100 20010db8000000000000000000000001 11000000 01bb0000 20010db8011300000000000000000000
  30000a80 2c000100 20010db8000000000000000000000001 11000000 01bb0000 20010db8011300ffffffffffffffffff`;
/** `list set inet sluice allowed_sources6`: the kernel's answer. */
const sourceListed = `
  a0000000 0c0a0200 00000000 4a000000 01000003 0b000100 736c756963650000
  15000200 616c6c6f7765645f736f757263657336 00000000 68000300 64000100
  30000100 2c000100 20010db8000000000000000000000001 11000000 01bb0000 20010db8011300000000000000000000
  30000a00 2c000100 20010db8000000000000000000000001 11000000 01bb0000 20010db8011300ffffffffffffffffff`;
/** `delete element inet sluice pod_sources4 { 10.1.0.0/16 }`: the same, but that nft gives the second element type 2. */
const deletePods = `
  01000000 0b000100 736c756963650000 11000200 706f645f736f757263657334 00000000
  2c000380 10000180 0c000180 08000100 0a010000 18000180 08000300 00000001 0c000180 08000100 0a020000`;
/** `list set inet sluice pod_sources4`: the kernel's answer. nft has put an end at 0.0.0.0, where no range ends. */
const podsListed = `
  78000000 0c0a0200 00000000 59000000 01000005 0b000100 736c756963650000
  11000200 706f645f736f757263657334 00000000 44000300 18000100 0c000100 08000100 0a020000 08000300 00000001
  10000100 0c000100 08000100 0a010000 18000100 0c000100 08000100 00000000 08000300 00000001`;
/** `list set inet sluice virtual_servers4`: the kernel's answer. */
const virtualServerListed = `
  6c000000 0c0a0200 00000000 33660000 01000003 0b000100 736c756963650000
  15000200 7669727475616c5f7365727665727334 00000000 34000300 30000100
  14000100 10000100 0a600001 06000000 00500000 17000600 0011 64656661756c742f7765623a6874747000 00`;
/** `list map inet sluice inside_view6`: the kernel's answer. */
const viewListed = `
  68000000 0c0a0200 00000000 3c660000 01000003 0b000100 736c756963650000
  11000200 696e736964655f7669657736 00000000 34000300 30000100 20000100
  1c000100 20010db8000000000000000000000001 11000000 01bb0000 0c000200 08000100 78563412`;

const virtualServer: FilterElement = {
  set: 'virtual_servers',
  address: '10.96.0.1',
  protocol: 'TCP',
  port: 80,
  comment: 'default/web:http',
};
const view: FilterElement = {
  set: 'inside_view',
  address: '2001:db8::1',
  protocol: 'UDP',
  port: 443,
  mark: 0x12345678,
};
const pods: FilterElement = { set: 'pod_sources', range: '10.1.0.0/16' };
const source: FilterElement = {
  set: 'allowed_sources',
  address: '2001:db8::1',
  protocol: 'UDP',
  port: 443,
  range: '2001:db8:113::/56',
};

describe('messages about elements', () => {
  it('hold the elements as nft writes them', () => {
    expect(written('add', virtualServer)).toContain(compact(addVirtualServer));
    expect(written('add', view)).toContain(compact(addView));
    expect(written('add', source)).toContain(compact(addSource));
    expect(written('remove', source)).toContain(compact(addSource));
    expect(written('remove', pods)).toBe(compact(deletePods));
    expect(written('remove', { set: 'hairpin', address: '10.1.0.2' })).toBe(compact(deleteHairpin));
  });

  it('read back what they were written from', () => {
    for (const element of oneOfEach) expect(readBack(element)).toEqual([element]);
  });

  it('cut a long comment at 127 bytes and between characters', () => {
    for (const [comment, kept] of [
      ['x'.repeat(127), 127],
      ['x'.repeat(128), 127],
      [`${'x'.repeat(126)}é`, 126],
      ['é'.repeat(64), 126],
    ] as const) {
      const [element] = readBack({ ...virtualServer, comment });
      const found = element?.set === 'virtual_servers' ? (element.comment ?? '') : '';
      expect(comment.startsWith(found)).toBe(true);
      expect(Buffer.byteLength(found)).toBe(kept);
    }
  });

  it('stay below the longest attribute and leave the rest to the next message', () => {
    const comment = 'x'.repeat(127);
    const elements = Array.from({ length: 1000 }, () => ({ ...virtualServer, comment }));
    const batch = createBatch();
    const next = putElements(batch, 'add', layoutOf(virtualServer), listOf(elements, 0));
    expect(next).toBeGreaterThan(300);
    expect(next).toBeLessThan(1000);
    expect(putElements(batch, 'add', layoutOf(virtualServer), listOf(elements, next))).toBeLessThanOrEqual(1000);
  });
});

describe('answers about elements', () => {
  it('are read', () => {
    expect(readAnswer(virtualServerListed, virtualServer)).toEqual([virtualServer]);
    expect(readAnswer(viewListed, view)).toEqual([view]);
    expect(readAnswer(sourceListed, source)).toEqual([source]);
    expect(readAnswer(podsListed, pods)).toEqual([pods]);
  });

  it('tell of ranges that are no CIDR, and of single addresses, as another hand may write them', () => {
    const upTo = sourceListed.replace('20010db8011300ffffffffffffffffff', '20010db8011300000000000000000005');
    expect(readAnswer(upTo, source)).toEqual([{ ...source, range: '2001:db8:113::-2001:db8:113::5' }]);
    const first = '20010db8011300000000000000000000';
    const single = sourceListed.replace('20010db8011300ffffffffffffffffff', first);
    expect(readAnswer(single, source)).toEqual([{ ...source, range: '2001:db8:113::/128' }]);
  });

  it('leave out what sluice cannot have written', () => {
    expect(readAnswer(virtualServerListed.replace('06000000', '01000000'), virtualServer)).toEqual([]);
  });

  it('never make the reader throw anything but a decode error', () => {
    const recorded = [virtualServerListed, viewListed, sourceListed, podsListed].map((hex) =>
      Buffer.from(compact(hex), 'hex'),
    );
    const changes = fc.array(fc.tuple(fc.integer({ min: 20, max: 107 }), fc.nat(255)), { maxLength: 6 });
    let read = 0;
    fc.assert(
      fc.property(fc.constantFrom(...recorded), changes, fc.constantFrom(...setLayouts), (bytes, list, set) => {
        const copy = Buffer.from(bytes);
        for (const [at, value] of list) if (at < copy.length) copy[at] = value;
        const cursor = messageCursor(receivedBytes(copy), copy.length);
        nextMessage(cursor);
        try {
          read += readAll(cursor, set).length;
        } catch (thrown) {
          if (!isNetlinkDecodeError(thrown)) throw thrown;
        }
      }),
      { numRuns: 3000 },
    );
    expect(read).toBeGreaterThan(0);
  });
});

/** The message behind the netlink header. */
function written(verb: ElementVerb, element: FilterElement): string {
  const batch = createBatch();
  putElements(batch, verb, layoutOf(element), listOf([element], 0));
  return batch.bytes.toString('hex', 16, batch.length);
}

function readBack(element: FilterElement): readonly FilterElement[] {
  const batch = createBatch();
  putElements(batch, 'add', layoutOf(element), listOf([element], 0));
  return readAnswer(batch.bytes.toString('hex', 0, batch.length), element);
}

function readAnswer(hex: string, element: FilterElement): readonly FilterElement[] {
  const bytes = Buffer.from(compact(hex), 'hex');
  const cursor = messageCursor(receivedBytes(bytes), bytes.length);
  expect(nextMessage(cursor)).toBe(true);
  return readAll(cursor, layoutOf(element));
}

function readAll(message: MessageCursor, set: SetLayout): readonly FilterElement[] {
  return set.key === 'range' ? makeRanges(set, copyBoundaries(message, set)) : copyElements(message, set);
}

function listOf(elements: readonly FilterElement[], from: number): ElementList {
  return { operations: elements.map((element) => ({ element })), indexes: [...elements.keys()], from };
}

function compact(hex: string): string {
  return hex.replaceAll(/\s/g, '');
}
