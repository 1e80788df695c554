import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ActualVirtualServer } from '../../../src/core/actual.ts';
import { listDestinations } from '../../../src/core/destinations.ts';
import { virtualServerKey } from '../../../src/core/keys.ts';
import type { IpvsOperation } from '../../../src/core/model/operation.ts';
import {
  type Destination,
  type ForwardingMethod,
  schedulers,
  type VirtualServer,
  type VirtualServerIdentity,
  virtualServerFlags,
} from '../../../src/core/model/virtual-server.ts';
import { finish } from '../../../src/core/steps.ts';
import type { IpvsTable } from '../../../src/kernel/ipvs/open-ipvs.ts';
import { renderIpvs } from '../../../src/kernel/ipvs/render.ts';
import type { ExpectedServers } from '../../../src/kernel/ports.ts';
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
const pod = destination('10.1.0.1');
const pod6 = destination('fd00:1::1');

/** One identity of each sort, with a destination of its family. */
const sorts = [
  { name: 'an IPv4 address', identity: web, to: pod },
  { name: 'an IPv6 address', identity: web6, to: pod6 },
  { name: 'an IPv4 firewall mark', identity: markIdentity(1001), to: pod },
  { name: 'an IPv6 firewall mark', identity: markIdentity(1001, 'IPv6'), to: pod6 },
] as const;

function expectation(server: VirtualServer, destinations: readonly Destination[]): ActualVirtualServer {
  return { server, destinations: listDestinations(destinations) };
}

function expecting(...servers: readonly ActualVirtualServer[]): ExpectedServers {
  const wanted = new Map(servers.map((each) => [virtualServerKey(each.server.identity), each]));
  return {
    virtualServer: (key) => wanted.get(key),
    eachVirtualServer: function* (visit) {
      for (const [key, server] of wanted) {
        visit(key, server);
        yield;
      }
    },
  };
}

/** Another one of the same sort. */
function sibling(identity: VirtualServerIdentity, nth: number): VirtualServerIdentity {
  return identity.kind === 'address'
    ? { ...identity, port: identity.port + nth }
    : { ...identity, mark: identity.mark + nth };
}

/** What every implementation of the IPVS port does. */
export function testIpvsContract(open: () => IpvsTable): void {
  let table: IpvsTable;

  beforeEach(() => {
    table = open();
  });

  afterEach(() => {
    table.close();
  });

  function expectDone(...operations: readonly IpvsOperation[]): void {
    expect(table.apply(operations)).toEqual({ failures: [], unknown: false });
  }

  function expectCodes(operations: readonly IpvsOperation[], codes: Readonly<Record<number, string>>): void {
    const result = table.apply(operations);
    expect(result.unknown).toBe(false);
    expect(Object.fromEntries(result.failures.map(({ index, error }) => [index, error.code]))).toEqual(codes);
  }

  function expectTable(...blocks: readonly string[]): void {
    expect(renderIpvs(table.dump())).toBe(blocks.map((block) => `${block}\n`).join(''));
  }

  describe('the empty table', () => {
    it('has nothing in it', () => {
      expect(table.dump()).toEqual([]);
    });

    it('takes an empty list of operations', () => {
      expect(table.apply([])).toEqual({ failures: [], unknown: false });
    });

    it('has no destinations of a virtual server that does not exist', () => {
      for (const { identity } of sorts) expect(table.dumpDestinations(identity)).toEqual([]);
    });
  });

  describe.each(sorts)('a virtual server of $name', ({ identity, to }) => {
    it('is read back as it was written', () => {
      expectDone(addServer(virtualServer(identity)), addDestination(identity, to));
      const state = { ...to, activeConnections: 0, inactiveConnections: 0 };
      expect(table.dump()).toEqual([{ server: virtualServer(identity), destinations: [state] }]);
      expect(table.dumpDestinations(identity)).toEqual([state]);
    });

    it('is there without destinations', () => {
      expectDone(addServer(virtualServer(identity)));
      expect(table.dump()).toEqual([{ server: virtualServer(identity), destinations: [] }]);
    });

    it('keeps the destinations in the order of the kernel, the newest first', () => {
      const others = [2, 3, 4].map((port) => ({ ...to, port }));
      expectDone(addServer(virtualServer(identity)), ...others.map((each) => addDestination(identity, each)));
      expect(table.dumpDestinations(identity).map(({ port }) => port)).toEqual([4, 3, 2]);
      expect(table.dump()[0]?.destinations.map(({ port }) => port)).toEqual([4, 3, 2]);
    });

    it('is the expected object when it is read and is as expected', () => {
      const other = destination(to.address, { port: 9090, weight: 7, forwarding: 'route' });
      const wanted = expectation(virtualServer(identity, { scheduler: 'wrr' }), [to, other]);
      expectDone(addServer(wanted.server), addDestination(identity, other), addDestination(identity, to));
      const read = finish(table.read(expecting(wanted)));
      expect([...read]).toEqual([[virtualServerKey(identity), wanted]]);
      expect(read.get(virtualServerKey(identity))).toBe(wanted);
    });

    it.each([
      ['its scheduler differs', { scheduler: 'lc' }, [to]],
      ['a destination is missing', {}, [to, destination(to.address, { port: 1 })]],
      ['a destination is too many', {}, []],
      ['a weight differs', {}, [{ ...to, weight: 2 }]],
      ['a forwarding method differs', {}, [{ ...to, forwarding: 'tunnel' as const }]],
      ['the wrapping of a tunnel differs', {}, [{ ...to, forwarding: 'gue' as const }]],
      ['a port differs', {}, [{ ...to, port: 1 }]],
    ])('is read as it is when %s', (_, parts, destinations) => {
      const there = virtualServer(identity);
      expectDone(addServer(there), addDestination(identity, to));
      const read = finish(table.read(expecting(expectation(virtualServer(identity, parts), destinations))));
      expect([...read]).toEqual([[virtualServerKey(identity), expectation(there, [to])]]);
      expect([...finish(table.read(expecting()))]).toEqual([...read]);
    });

    it('may be changed, gone or new while the table is read in steps', () => {
      const changed = destination(to.address, { port: 2 });
      const others = [sibling(identity, 1), sibling(identity, 2)] as const;
      const wanted = [identity, ...others].map((each) => expectation(virtualServer(each), [to]));
      for (const each of [identity, others[0]]) expectDone(addServer(virtualServer(each)), addDestination(each, to));
      const steps = table.read(expecting(...wanted));
      steps.next();
      expectDone(addDestination(identity, changed), removeServer(others[0]), addServer(virtualServer(others[1])));
      expect(table.dumpDestinations(identity).map(({ port }) => port)).toEqual([changed.port, to.port]);
      const read = finish(steps);
      const destinations = read.get(virtualServerKey(identity))?.destinations ?? [];
      expect(destinations.map(({ port }) => port)).toContain(to.port);
      expect(
        [...read.keys()].every((key) => wanted.some(({ server }) => key === virtualServerKey(server.identity))),
      ).toBe(true);
      expect(table.dump().map(({ server }) => server.identity)).not.toContainEqual(others[0]);
    });

    it('goes with its destinations', () => {
      expectDone(addServer(virtualServer(identity)), addDestination(identity, to), removeServer(identity));
      expect(table.dump()).toEqual([]);
      expectDone(addServer(virtualServer(identity)));
      expect(table.dumpDestinations(identity)).toEqual([]);
    });

    it('is refused a second time with EEXIST and stays as it was', () => {
      expectDone(addServer(virtualServer(identity)));
      expectCodes([addServer(virtualServer(identity, { scheduler: 'wrr' }))], { 0: 'EEXIST' });
      expect(table.dump()[0]?.server.scheduler).toBe('rr');
    });

    it('is missed with ESRCH by everything but adding it', () => {
      const operations = [
        editServer(virtualServer(identity)),
        removeServer(identity),
        addDestination(identity, to),
        editDestination(identity, to),
        removeDestination(identity, to),
      ];
      expectCodes(operations, { 0: 'ESRCH', 1: 'ESRCH', 2: 'ESRCH', 3: 'ESRCH', 4: 'ESRCH' });
    });

    it('refuses a destination a second time with EEXIST, and misses one with ENOENT', () => {
      expectDone(addServer(virtualServer(identity)), addDestination(identity, to));
      const other = { ...to, port: to.port + 1 };
      const operations = [
        addDestination(identity, { ...to, weight: 7 }),
        editDestination(identity, other),
        removeDestination(identity, other),
      ];
      expectCodes(operations, { 0: 'EEXIST', 1: 'ENOENT', 2: 'ENOENT' });
      expect(table.dumpDestinations(identity)).toMatchObject([to]);
    });

    it('changes a destination in its place', () => {
      const second = { ...to, port: 9 };
      expectDone(addServer(virtualServer(identity)), addDestination(identity, to), addDestination(identity, second));
      expectDone(editDestination(identity, { ...to, weight: 0, forwarding: 'route' }));
      expect(table.dumpDestinations(identity)).toMatchObject([second, { ...to, weight: 0, forwarding: 'route' }]);
    });

    it('loses a destination and takes it back', () => {
      expectDone(addServer(virtualServer(identity)), addDestination(identity, to));
      expectDone(removeDestination(identity, to));
      expect(table.dumpDestinations(identity)).toEqual([]);
      expectDone(addDestination(identity, { ...to, weight: 3 }));
      expect(table.dumpDestinations(identity)).toMatchObject([{ ...to, weight: 3 }]);
    });

    it('is persistent for a time and a prefix, and then no longer', () => {
      const prefixLength = identity === web6 || ('family' in identity && identity.family === 'IPv6') ? 64 : 24;
      const persistent = { flags: virtualServerFlags.persistent, timeoutSeconds: 10_800, prefixLength };
      expectDone(addServer(virtualServer(identity, persistent)));
      expect(table.dump()[0]?.server).toEqual(virtualServer(identity, persistent));
      expectDone(editServer(virtualServer(identity)));
      expect(table.dump()[0]?.server).toEqual(virtualServer(identity));
    });

    it.each(schedulers)('is scheduled by %s', (scheduler) => {
      expectDone(addServer(virtualServer(identity, { scheduler })), addDestination(identity, to));
      expect(table.dump()[0]?.server.scheduler).toBe(scheduler);
    });

    it('stands without a scheduler', () => {
      expectDone(addServer(virtualServer(identity, { scheduler: 'none' })), addDestination(identity, to));
      expect(table.dump()[0]?.server.scheduler).toBe('none');
      expectDone(editServer(virtualServer(identity, { scheduler: 'mh' })));
      expect(table.dump()[0]?.server.scheduler).toBe('mh');
    });
  });

  describe('virtual servers side by side', () => {
    it('are told apart by protocol, address, port, mark and family', () => {
      const identities: readonly VirtualServerIdentity[] = [
        web,
        addressIdentity({ protocol: 'UDP' }),
        addressIdentity({ protocol: 'SCTP' }),
        addressIdentity({ port: 81 }),
        addressIdentity({ port: 0 }),
        addressIdentity({ port: 65_535 }),
        addressIdentity({ address: '192.0.2.2' }),
        web6,
        addressIdentity({ address: '2001:db8::2' }),
        markIdentity(1),
        markIdentity(1, 'IPv6'),
        markIdentity(0xffff_ffff),
      ];
      for (const [weight, identity] of identities.entries()) {
        const to = sorts.find((sort) => familyWord(sort.identity) === familyWord(identity))?.to ?? pod;
        expectDone(addServer(virtualServer(identity)), addDestination(identity, { ...to, weight }));
      }
      expect(table.dump()).toHaveLength(identities.length);
      for (const [weight, identity] of identities.entries()) {
        expect(table.dumpDestinations(identity)).toMatchObject([{ weight }]);
      }
    });

    it('are rendered sorted', () => {
      expectDone(
        addServer(virtualServer(addressIdentity({ port: 443 }), { scheduler: 'sh', flags: 0x18 })),
        addServer(virtualServer(web)),
        addDestination(web, destination('10.1.0.2', { weight: 5, forwarding: 'route' })),
        addDestination(web, pod),
      );
      expectTable(
        'TCP 192.0.2.1:443 sh flags 0x18',
        'TCP 192.0.2.1:80 rr\n  -> 10.1.0.1:8080 masquerade weight 1\n  -> 10.1.0.2:8080 route weight 5',
      );
    });

    it('are dumped alike twice', () => {
      expectDone(
        ...sorts.flatMap(({ identity, to }) => [addServer(virtualServer(identity)), addDestination(identity, to)]),
      );
      expect(table.dump()).toEqual(table.dump());
    });
  });

  it('tells the virtual servers of firewall marks', () => {
    expect(table.dumpMarks()).toEqual([]);
    expectDone(...sorts.map(({ identity }) => addServer(virtualServer(identity))));
    expect(table.dumpMarks()).toEqual([markIdentity(1001), markIdentity(1001, 'IPv6')]);
  });

  it('shares many destinations of one virtual server', () => {
    const many = Array.from({ length: 300 }, (_, index) =>
      destination(`10.1.${1 + (index >> 8)}.${index & 255}`, { port: 1 + index }),
    );
    const wanted = expectation(virtualServer(web), many);
    expectDone(addServer(wanted.server), ...many.map((each) => addDestination(web, each)));
    expect(finish(table.read(expecting(wanted))).get(virtualServerKey(web))).toBe(wanted);
  });

  describe('schedulers', () => {
    it('are changed in place, with the destinations kept', () => {
      expectDone(addServer(virtualServer(web)), addDestination(web, pod));
      for (const scheduler of schedulers) {
        expectDone(editServer(virtualServer(web, { scheduler })));
        expect(table.dump()).toMatchObject([{ server: { scheduler }, destinations: [pod] }]);
      }
    });

    it.each([0x8, 0x10, 0x18, 0x20, 0x38])('take the flags %i and let them go', (flags) => {
      expectDone(addServer(virtualServer(web, { scheduler: 'mh', flags })));
      expect(table.dump()[0]?.server.flags).toBe(flags);
      expectDone(editServer(virtualServer(web, { scheduler: 'mh' })));
      expect(table.dump()[0]?.server.flags).toBe(0);
    });

    it.each(['', 'RR', 'rr ', '../rr', 'a-name-longer-than-fifteen'])(
      'named %j are refused with ENOENT',
      (scheduler) => {
        expectDone(addServer(virtualServer(web)));
        expectCodes([addServer(virtualServer(web6, { scheduler })), editServer(virtualServer(web, { scheduler }))], {
          0: 'ENOENT',
          1: 'ENOENT',
        });
        expectTable('TCP 192.0.2.1:80 rr');
      },
    );
  });

  describe('flags of a virtual server', () => {
    it('are all kept', () => {
      const flags = Object.values(virtualServerFlags).reduce((all, flag) => all | flag, 0);
      const identity = addressIdentity({ protocol: 'UDP' });
      expectDone(addServer(virtualServer(identity, { flags, timeoutSeconds: 60 })));
      expect(table.dump()[0]?.server.flags).toBe(flags);
    });

    it("do not include the kernel's own", () => {
      expectDone(addServer(virtualServer(web, { flags: 0x2 })), editServer(virtualServer(web, { flags: 0x2 })));
      expect(table.dump()[0]?.server.flags).toBe(0);
    });
  });

  describe('persistence', () => {
    it.each([0, 1, 8, 17, 31, 32])('keeps an IPv4 prefix of %i', (prefixLength) => {
      const server = virtualServer(web, { flags: 1, timeoutSeconds: 300, prefixLength });
      expectDone(addServer(server));
      expect(table.dump()[0]?.server).toEqual(server);
    });

    it.each([1, 56, 127, 128])('keeps an IPv6 prefix of %i', (prefixLength) => {
      const server = virtualServer(web6, { flags: 1, timeoutSeconds: 300, prefixLength });
      expectDone(addServer(server));
      expect(table.dump()[0]?.server).toEqual(server);
    });

    it('refuses impossible prefixes with EINVAL', () => {
      const operations = [
        addServer(virtualServer(web6, { prefixLength: 0 })),
        addServer(virtualServer(web6, { prefixLength: 129 })),
        addServer(virtualServer(web, { prefixLength: 33 })),
        addServer(virtualServer(web, { prefixLength: -1 })),
      ];
      expectCodes(operations, { 0: 'EINVAL', 1: 'EINVAL', 2: 'EINVAL', 3: 'EINVAL' });
    });
  });

  describe('destinations', () => {
    beforeEach(() => {
      expectDone(addServer(virtualServer(web)), addServer(virtualServer(web6)));
    });

    it.each([0, 1, 255, 65_535])('keep a weight of %i', (weight) => {
      expectDone(addDestination(web, { ...pod, weight }), addDestination(web6, { ...pod6, weight }));
      expect(table.dumpDestinations(web)).toMatchObject([{ weight }]);
      expect(table.dumpDestinations(web6)).toMatchObject([{ weight }]);
    });

    it('refuse a weight below zero with ERANGE', () => {
      expectDone(addDestination(web, pod));
      const operations = [
        addDestination(web, { ...pod, port: 1, weight: -1 }),
        editDestination(web, { ...pod, weight: -1 }),
        addDestination(web, { ...pod, weight: 2 ** 40 }),
      ];
      expectCodes(operations, { 0: 'ERANGE', 1: 'ERANGE', 2: 'ERANGE' });
      expect(table.dumpDestinations(web)).toMatchObject([pod]);
    });

    const methods: readonly ForwardingMethod[] = ['masquerade', 'localnode', 'tunnel', 'gue', 'route', 'bypass'];

    it.each(methods)('are forwarded by %s', (forwarding) => {
      expectDone(addDestination(web, { ...pod, forwarding }), addDestination(web6, { ...pod6, forwarding }));
      expect(table.dumpDestinations(web)).toMatchObject([{ forwarding }]);
      expect(table.dumpDestinations(web6)).toMatchObject([{ forwarding }]);
    });

    it('refuse a method that is none with EINVAL', () => {
      // A caller without types could do it.
      const broken = { ...pod, forwarding: 'nat' as ForwardingMethod };
      expectCodes([addDestination(web, broken)], { 0: 'EINVAL' });
    });

    it.each(['224.0.0.1', '239.255.255.255', '255.255.255.255', '0.0.0.0'])('cannot be %s', (address) => {
      expectCodes([addDestination(web, destination(address))], { 0: 'EINVAL' });
      expect(table.dumpDestinations(web)).toEqual([]);
    });

    it.each(['ff02::1', 'fe80::1', '::'])('cannot be %s', (address) => {
      expectCodes([addDestination(web6, destination(address))], { 0: 'EINVAL' });
      expect(table.dumpDestinations(web6)).toEqual([]);
    });

    it.each(['0.1.2.3', '240.0.0.1', '127.0.0.1', '1.0.0.0', '223.255.255.255'])('may be %s', (address) => {
      expectDone(addDestination(web, destination(address)));
      expect(table.dumpDestinations(web)).toMatchObject([{ address }]);
    });

    it.each(['::1', 'fd00::', '2001:db8:0:1:2:3:4:5', '64:ff9b::102:304', 'fec0::1', '1:0:0:2::3'])(
      'may be %s, spelled in the canonical way',
      (address) => {
        expectDone(addDestination(web6, destination(address)));
        expect(table.dumpDestinations(web6)).toMatchObject([{ address }]);
      },
    );

    it('of the other family need a tunnel', () => {
      const operations = [
        addDestination(web, pod6),
        addDestination(web6, pod),
        addDestination(web, { ...pod6, forwarding: 'tunnel' }),
        addDestination(web6, { ...pod, forwarding: 'tunnel' }),
        editDestination(web, { ...pod6, forwarding: 'masquerade' }),
      ];
      expectCodes(operations, { 0: 'EINVAL', 1: 'EINVAL', 4: 'EINVAL' });
      expect(table.dumpDestinations(web)).toMatchObject([{ ...pod6, forwarding: 'tunnel' }]);
      expect(table.dumpDestinations(web6)).toMatchObject([{ ...pod, forwarding: 'tunnel' }]);
    });

    it('of both families are shown together', () => {
      expectDone(
        addDestination(web, pod),
        addDestination(web, { ...pod6, forwarding: 'tunnel' }),
        addDestination(web, { ...pod, port: 1 }),
      );
      const [plain] = table
        .dump()
        .filter(({ server }) => server.identity.kind === 'address' && server.prefixLength === 32);
      expect(plain?.destinations.map(({ address, port }) => `${address} ${port}`)).toEqual([
        '10.1.0.1 1',
        'fd00:1::1 8080',
        '10.1.0.1 8080',
      ]);
      expectDone(removeDestination(web, pod6));
      expect(table.dumpDestinations(web)).toHaveLength(2);
    });

    it('with a text that is no address are refused with EINVAL', () => {
      const texts = ['', 'pod-1', '10.1.0', '10.1.0.1.1', '10.1.0.256', '10..0.1', 'fd00:::1', 'fd00::1::1', '1:2:3'];
      const operations = texts.map((address) => addDestination(web, destination(address)));
      expectCodes(operations, Object.fromEntries(texts.map((_, index) => [index, 'EINVAL'])));
    });

    it('with a port that is none are refused with EINVAL', () => {
      const operations = [-1, 65_536, 1.5].map((port) => addDestination(web, { ...pod, port }));
      expectCodes(operations, { 0: 'EINVAL', 1: 'EINVAL', 2: 'EINVAL' });
    });
  });

  describe('identities that the wire cannot carry', () => {
    it('are refused with EINVAL', () => {
      const broken = [
        addressIdentity({ port: 65_536 }),
        addressIdentity({ port: -1 }),
        addressIdentity({ address: 'web' }),
        markIdentity(0),
        markIdentity(2 ** 32),
      ];
      const operations = broken.flatMap((identity) => [
        addServer(virtualServer(identity)),
        removeServer(identity),
        addDestination(identity, pod),
      ]);
      expectCodes(operations, Object.fromEntries(operations.map((_, index) => [index, 'EINVAL'])));
      expect(table.dump()).toEqual([]);
    });
  });

  describe('a long list', () => {
    const servers = Array.from({ length: 1000 }, (_, index) =>
      addressIdentity({ address: `198.18.${index >> 8}.${index & 255}` }),
    );
    const operations = servers.flatMap((identity) => [
      addServer(virtualServer(identity)),
      ...Array.from({ length: 9 }, (_, index) => addDestination(identity, destination(`10.2.0.${index + 1}`))),
    ]);

    it('of ten thousand operations is carried out in order', () => {
      expect(operations).toHaveLength(10_000);
      expectDone(...operations);
      const dumped = table.dump();
      expect(dumped).toHaveLength(1000);
      expect(dumped.every(({ destinations }) => destinations.length === 9)).toBe(true);
    });

    it('goes on after failures in the middle, and names each by its place', () => {
      const middle = [
        addDestination(web, pod),
        addDestination(servers[0] ?? web, destination('224.0.0.1')),
        addServer(virtualServer(servers[1] ?? web)),
        addDestination(servers[0] ?? web, destination('not an address')),
        removeDestination(servers[0] ?? web, destination('10.9.9.9')),
      ];
      const mixed = [...operations.slice(0, 5000), ...middle, ...operations.slice(5000)];
      expectCodes(mixed, { 5000: 'ESRCH', 5001: 'EINVAL', 5002: 'EEXIST', 5003: 'EINVAL', 5004: 'ENOENT' });
      expect(table.dump().reduce((sum, { destinations }) => sum + destinations.length, 0)).toBe(9000);
    });

    it('of failures alone is answered in full', () => {
      const missing = operations.slice(0, 5000).map((_, index) => removeServer(markIdentity(index + 1)));
      const result = table.apply(missing);
      expect(result.unknown).toBe(false);
      expect(result.failures.map(({ index }) => index)).toEqual(missing.map((_, index) => index));
    });

    it('of one virtual server with many destinations is read in full', () => {
      for (const identity of [web, web6]) {
        const prefix = identity === web ? '10.3.0.' : 'fd00:3::';
        const many = Array.from({ length: 600 }, (_, index) =>
          destination(`${prefix}${(index % 99) + 1}`, { port: index + 1 }),
        );
        expectDone(addServer(virtualServer(identity)), ...many.map((each) => addDestination(identity, each)));
        expect(table.dumpDestinations(identity)).toMatchObject(many.toReversed());
      }
      expect(table.dump().map(({ destinations }) => destinations.length)).toEqual([600, 600]);
    });

    it('of IPv6 virtual servers is read in full', () => {
      const identities = Array.from({ length: 300 }, (_, index) =>
        addressIdentity({ address: `2001:db8:1::${(index + 1).toString(16)}` }),
      );
      expectDone(
        ...identities.flatMap((identity) => [addServer(virtualServer(identity)), addDestination(identity, pod6)]),
      );
      const dumped = table.dump();
      expect(dumped).toHaveLength(300);
      expect(dumped.every(({ destinations }) => destinations.length === 1)).toBe(true);
    });
  });

  describe('timeouts', () => {
    it('begin as the kernel has them, are set, and are left alone by 0', () => {
      expect(table.readTimeouts()).toEqual({ tcp: 900, tcpFin: 120, udp: 300 });
      table.setTimeouts({ tcp: 1000, tcpFin: 0, udp: 30 });
      expect(table.readTimeouts()).toEqual({ tcp: 1000, tcpFin: 120, udp: 30 });
    });

    it('below zero are refused with EINVAL and change nothing', () => {
      expect(() => table.setTimeouts({ tcp: -1, tcpFin: 5, udp: 5 })).toThrow('set IPVS timeouts: EINVAL');
      expect(table.readTimeouts()).toEqual({ tcp: 900, tcpFin: 120, udp: 300 });
    });
  });

  describe('errors', () => {
    it('say what was attempted', () => {
      const { failures } = table.apply([addDestination(web, pod), removeServer(markIdentity(7))]);
      expect(failures.map(({ error }) => error.message)).toEqual([
        'add destination 10.1.0.1:8080 to TCP 192.0.2.1:80: ESRCH',
        'remove virtual server FWM 7 IPv4: ESRCH',
      ]);
    });
  });

  describe('a closed table', () => {
    it('refuses everything', () => {
      const other = open();
      other.close();
      other.close();
      const closed = expect.objectContaining({ code: 'ERR_SOCKET_CLOSED' });
      expect(thrownBy(() => other.dump())).toEqual(closed);
      expect(thrownBy(() => other.dumpDestinations(web))).toEqual(closed);
      expect(thrownBy(() => other.apply([addServer(virtualServer(web))]))).toEqual(closed);
    });
  });
}

function familyWord(identity: VirtualServerIdentity): string {
  if (identity.kind === 'fwmark') return identity.family;
  return identity.address.includes(':') ? 'IPv6' : 'IPv4';
}

function thrownBy(call: () => unknown): unknown {
  try {
    call();
    return undefined;
  } catch (thrown) {
    return thrown;
  }
}
