import { describe, expect, it } from 'vitest';
import type { IpvsOperation } from '../../../src/core/model/operation.ts';
import { readDestination, readVirtualServer } from '../../../src/kernel/ipvs/decode.ts';
import { createEncoder, encodeOperation } from '../../../src/kernel/ipvs/encode.ts';
import { copyDestination } from '../../../src/kernel/ipvs/shown-destination.ts';
import {
  countServices,
  readDestinationCount,
  readDestinations,
  readServiceCount,
  readServices,
} from '../../../src/kernel/ipvs/sockopt-layout.ts';
import {
  messageAttributes,
  nestedAttributes,
  nextAttribute,
  readBytes,
} from '../../../src/kernel/netlink/attribute-reader.ts';
import { createBatch } from '../../../src/kernel/netlink/batch.ts';
import {
  type MessageCursor,
  messageCursor,
  nextMessage,
  payloadU8,
} from '../../../src/kernel/netlink/message-reader.ts';
import { receivedBytes } from '../../../src/kernel/netlink/received.ts';
import * as golden from './golden.ts';
import {
  addDestination,
  addressIdentity,
  addServer,
  destination,
  editDestination,
  editServer,
  markIdentity,
  removeDestination,
  removeServer,
  virtualServer,
} from './operations.ts';

const web = addressIdentity();
const web6 = addressIdentity({ address: '2001:db8::1' });
const pod = destination('10.1.0.1', { weight: 5 });
const persistent = { scheduler: 'mh', flags: 0x11, timeoutSeconds: 300, prefixLength: 24 };
const both = new Set(['IPv4', 'IPv6'] as const);

const requests: readonly { name: string; operation: IpvsOperation; recorded: Buffer }[] = [
  {
    name: 'a persistent virtual server',
    operation: addServer(virtualServer(web, persistent)),
    recorded: golden.newService,
  },
  { name: 'an IPv6 one', operation: addServer(virtualServer(web6)), recorded: golden.newServiceIPv6 },
  {
    name: 'one of a mark',
    operation: addServer(virtualServer(markIdentity(1001), { scheduler: 'wrr' })),
    recorded: golden.newServiceMark,
  },
  {
    name: 'one of an IPv6 mark',
    operation: addServer(virtualServer(markIdentity(1001, 'IPv6'), { scheduler: 'wrr' })),
    recorded: golden.newServiceMarkIPv6,
  },
  { name: 'an edit', operation: editServer(virtualServer(web)), recorded: golden.editService },
  { name: 'a removal', operation: removeServer(web), recorded: golden.deleteService },
  { name: 'a destination', operation: addDestination(web, pod), recorded: golden.newDestination },
  {
    name: 'an IPv6 destination',
    operation: addDestination(web6, destination('fd00:1::1', { port: 80, forwarding: 'route' })),
    recorded: golden.newDestinationIPv6,
  },
  {
    name: 'a destination of a mark',
    operation: addDestination(markIdentity(1001), destination('10.1.0.1', { forwarding: 'tunnel' })),
    recorded: golden.newDestinationMark,
  },
  {
    name: 'an edit of a destination',
    operation: editDestination(web, { ...pod, weight: 0 }),
    recorded: golden.editDestination,
  },
  { name: 'a removal of a destination', operation: removeDestination(web, pod), recorded: golden.deleteDestination },
];

describe('requests', () => {
  it.each(requests)('for $name say what ipvsadm says', ({ operation, recorded }) => {
    const ours = request(encode([operation]));
    const theirs = request(recorded);
    expect(ours.command).toBe(theirs.command);
    for (const [path, value] of ours.attributes) expect([path, value]).toEqual([path, theirs.attributes.get(path)]);
  });

  it.each([
    {
      kind: 'a virtual server',
      operation: addServer(virtualServer(web)),
      attributes: ['1.1', '1.2', '1.3', '1.4', '1.6', '1.7', '1.8', '1.9'],
    },
    {
      kind: 'a destination',
      operation: addDestination(markIdentity(5), pod),
      attributes: ['1.1', '1.5', '2.1', '2.11', '2.2', '2.3', '2.4', '2.5', '2.6'],
    },
    {
      kind: 'a removal',
      operation: removeDestination(web, pod),
      attributes: ['1.1', '1.2', '1.3', '1.4', '2.1', '2.11', '2.2'],
    },
  ])('for $kind have every attribute that the kernel asks for', ({ operation, attributes }) => {
    expect([...request(encode([operation])).attributes.keys()].sort()).toEqual(attributes);
  });

  it('cover all flags that sluice knows by the mask', () => {
    const bytes = encode([addServer(virtualServer(web, { flags: 0x9 }))]);
    expect(bytes.includes(Buffer.from('0c000700090000003d000000', 'hex'))).toBe(true);
  });

  it('are the same whatever came before them', () => {
    const mixed = requests.map(({ operation }) => operation);
    const alone = mixed.map((operation) => encode([operation]));
    expect(encode(mixed)).toEqual(Buffer.concat(alone));
    expect(encode(mixed.toReversed())).toEqual(Buffer.concat(alone.toReversed()));
  });

  it('do not carry an IPv6 address into an IPv4 one', () => {
    const six = addDestination(web, destination('fd00:1:2:3:4:5:6:7', { forwarding: 'tunnel' }));
    const four = addDestination(web, pod);
    expect(encode([six, four])).toEqual(Buffer.concat([encode([six]), encode([four])]));
  });
});

describe('answers over netlink', () => {
  it('with virtual servers are read, both families and marks', () => {
    expect(messages(golden.services, (message) => readVirtualServer(message, both))).toEqual([
      virtualServer(web),
      virtualServer(web6),
      virtualServer(markIdentity(1001, 'IPv6'), { scheduler: 'wrr' }),
      virtualServer(markIdentity(1001), { scheduler: 'wrr' }),
    ]);
  });

  it('are read for one family alone', () => {
    const six = messages(golden.services, (message) => readVirtualServer(message, new Set(['IPv6'] as const)));
    expect(six.filter((server) => server !== undefined)).toEqual([
      virtualServer(web6),
      virtualServer(markIdentity(1001, 'IPv6'), { scheduler: 'wrr' }),
    ]);
  });

  it('with destinations are read', () => {
    const counts = { activeConnections: 0, inactiveConnections: 0 };
    expect(messages(golden.destinationsIPv4, (message) => readDestination(message, 'IPv4', copyDestination))).toEqual([
      { ...pod, weight: 0, ...counts },
    ]);
    expect(messages(golden.destinationsIPv6, (message) => readDestination(message, 'IPv6', copyDestination))).toEqual([
      { ...destination('fd00:1::1', { port: 80, forwarding: 'route' }), ...counts },
    ]);
  });
});

describe('answers of the getsockopts', () => {
  it('count the IPv4 virtual servers', () => {
    expect(readServiceCount(receivedBytes(golden.sockoptInfo))).toBe(2);
  });

  it('with virtual servers are read', () => {
    expect(readServices(receivedBytes(golden.sockoptServices), 2, 'all')).toEqual([
      { server: virtualServer(web, { ...persistent, prefixLength: 16 }), destinationCount: 2 },
      { server: virtualServer(markIdentity(1001), { scheduler: 'wrr' }), destinationCount: 1 },
    ]);
    expect(readDestinationCount(receivedBytes(golden.sockoptService))).toBe(1);
  });

  it('with destinations are read', () => {
    const counts = { activeConnections: 0, inactiveConnections: 0 };
    expect(readDestinations(receivedBytes(golden.sockoptDestinations), 3, copyDestination)).toEqual([
      { ...destination('10.1.0.2', { port: 80, weight: 0, forwarding: 'route' }), ...counts },
      { ...pod, ...counts },
    ]);
  });

  it('that fill all the room may be cut, and are not taken', () => {
    expect(countServices(receivedBytes(golden.sockoptServices), 3)).toBe(2);
    expect(countServices(receivedBytes(golden.sockoptServices), 2)).toBeUndefined();
    expect(readDestinations(receivedBytes(golden.sockoptDestinations), 2, copyDestination)).toBeUndefined();
  });
});

function encode(operations: readonly IpvsOperation[]): Buffer {
  const batch = createBatch();
  const encoder = createEncoder(0x17);
  for (const operation of operations) expect(encodeOperation(batch, encoder, operation)).toBe(0);
  return Buffer.from(batch.bytes.subarray(0, batch.length));
}

/** Attributes as hexadecimal text by `nest.attribute`. Of the flags only the flags: the masks differ on purpose. */
function request(bytes: Buffer): { command: number; attributes: ReadonlyMap<string, string | undefined> } {
  const cursor = messageCursor(receivedBytes(bytes), bytes.length);
  expect(nextMessage(cursor)).toBe(true);
  const attributes = new Map<string, string>();
  const outer = messageAttributes(cursor, 4);
  while (nextAttribute(outer)) {
    const inner = nestedAttributes(outer);
    while (nextAttribute(inner)) {
      const value = Buffer.from(readBytes(inner)).toString('hex');
      const path = `${outer.type}.${inner.type}`;
      attributes.set(path, path === '1.7' ? value.slice(0, 8) : value);
    }
  }
  return { command: payloadU8(cursor, 0), attributes };
}

function messages<Item>(datagram: Buffer, read: (message: MessageCursor) => Item): readonly Item[] {
  const cursor = messageCursor(receivedBytes(datagram), datagram.length);
  const items: Item[] = [];
  while (nextMessage(cursor)) items.push(read(cursor));
  return items;
}
