import { describe, expect, it } from 'vitest';
import type { ActualVirtualServer } from '../../../src/core/actual.ts';
import { listDestinations } from '../../../src/core/destinations.ts';
import { virtualServerKey } from '../../../src/core/keys.ts';
import type { Destination } from '../../../src/core/model/virtual-server.ts';
import { finish } from '../../../src/core/steps.ts';
import { indexServers } from '../../../src/kernel/ipvs/expected-servers.ts';
import { recogniseServers } from '../../../src/kernel/ipvs/recognise-servers.ts';
import { createSockopt, type IpvsSockopt, listServicesSteps } from '../../../src/kernel/ipvs/sockopt.ts';
import * as golden from './golden.ts';
import { addressIdentity, destination, markIdentity, virtualServer } from './operations.ts';

/** What the recorded answers show: 192.0.2.1:80 with two destinations, and mark 1001 with one that is not recorded. */
const web = virtualServer(addressIdentity(), { scheduler: 'mh', flags: 0x11, timeoutSeconds: 300, prefixLength: 16 });
const routed = destination('10.1.0.2', { port: 80, weight: 0, forwarding: 'route' });
const masqueraded = destination('10.1.0.1', { weight: 5 });

describe('recognising virtual servers in a list', () => {
  it.each([
    ['in the order in which they were added', [masqueraded, routed]],
    ['in that order from another one on', [routed, masqueraded]],
  ])('takes one whose destinations are expected %s', (_, destinations) => {
    const { same, others, asked } = recognise([expected(web, destinations)]);
    expect([same, others]).toEqual([[0], [1]]);
    expect(asked).toEqual([24 + 3 * 96]);
  });

  it.each([
    ['scheduler', { scheduler: 'm' }],
    ['longer scheduler', { scheduler: 'mhx' }],
    ['flags', { flags: 0x10 }],
    ['timeout', { timeoutSeconds: 301 }],
    ['mask', { prefixLength: 24 }],
  ])('asks for no destinations of one with another %s', (_, parts) => {
    const { others, asked } = recognise([expected({ ...web, ...parts }, [masqueraded, routed])]);
    expect(others).toEqual([0, 1]);
    expect(asked).toEqual([]);
  });

  it.each([
    ['another weight', [masqueraded, { ...routed, weight: 1 }]],
    ['another port', [masqueraded, { ...routed, port: 81 }]],
    ['another address', [masqueraded, { ...routed, address: '10.1.0.3' }]],
    ['another way of forwarding', [masqueraded, { ...routed, forwarding: 'masquerade' as const }]],
    ['the same twice', [masqueraded, { ...masqueraded, port: 8081 }]],
  ])('leaves one to be read whole where it has %s', (_, destinations) => {
    expect(recognise([expected(web, destinations)]).others).toContain(0);
  });

  it('leaves one to be read whole that has one destination more by now', () => {
    const shown = golden.sockoptDestinations;
    const sockopt = open({ answer: [...shown.subarray(0, 24 + 2 * 96), ...shown.subarray(24, 24 + 96)] });
    const index = finish(indexServers(expecting(expected(web, [masqueraded, routed]))));
    expect(finish(recogniseServers(sockopt, index, finish(listServicesSteps(sockopt)))).others).toContain(0);
  });

  it('never takes a tunnel for the expected one, since how it wraps is not shown', () => {
    const answer = Buffer.from(golden.sockoptDestinations);
    answer.writeUInt32LE(2, 24 + 8);
    const sockopt = open({ answer });
    const index = finish(indexServers(expecting(expected(web, [masqueraded, { ...routed, forwarding: 'tunnel' }]))));
    expect(finish(recogniseServers(sockopt, index, finish(listServicesSteps(sockopt)))).others).toContain(0);
  });

  it('knows a virtual server of a mark by its mark alone', () => {
    const mark = virtualServer(markIdentity(1001), { scheduler: 'wrr' });
    expect(recognise([expected(mark, [routed])]).asked).toEqual([24 + 2 * 96]);
    expect(recognise([expected(virtualServer(markIdentity(1002), { scheduler: 'wrr' }), [routed])]).asked).toEqual([]);
  });

  it('leaves a virtual server out that was removed meanwhile', () => {
    const sockopt = open({ gone: 'ESRCH' });
    const index = finish(indexServers(expecting(expected(web, [masqueraded, routed]))));
    expect(finish(recogniseServers(sockopt, index, finish(listServicesSteps(sockopt))))).toEqual({
      same: [],
      others: [1],
    });
  });

  it('passes other errors on', () => {
    const sockopt = open({ gone: 'EPERM' });
    const index = finish(indexServers(expecting(expected(web, [masqueraded, routed]))));
    expect(() => finish(recogniseServers(sockopt, index, finish(listServicesSteps(sockopt))))).toThrow(
      'read IPv4 destinations: EPERM',
    );
  });
});

function expected(server: ActualVirtualServer['server'], destinations: readonly Destination[]): ActualVirtualServer {
  return { server, destinations: listDestinations(destinations) };
}

function expecting(...servers: readonly ActualVirtualServer[]): Parameters<typeof indexServers>[0] {
  return {
    eachVirtualServer: function* (visit) {
      for (const each of servers) {
        visit(virtualServerKey(each.server.identity), each);
        yield;
      }
    },
  };
}

/** `asked` has the lengths of the requests for destinations. */
function recognise(servers: readonly ActualVirtualServer[]): {
  readonly same: readonly number[];
  readonly others: readonly number[];
  readonly asked: readonly number[];
} {
  const asked: number[] = [];
  const sockopt = open({ asked });
  const index = finish(indexServers(expecting(...servers)));
  return { ...finish(recogniseServers(sockopt, index, finish(listServicesSteps(sockopt)))), asked };
}

interface Scripted {
  /** Requests for destinations are written here. */
  readonly asked?: number[];
  /** The answer to each of them; the recorded one unless given. */
  readonly answer?: ArrayLike<number>;
  /** The error that each of them ends with. */
  readonly gone?: string;
}

/** Shows the recorded virtual servers, the first of them with two destinations. */
function open({ asked = [], answer = golden.sockoptDestinations, gone }: Scripted): IpvsSockopt {
  const services = Buffer.from(golden.sockoptServices);
  services.writeUInt32LE(2, 8 + 44);
  return createSockopt({
    get(option, buffer) {
      const errno = gone === 'ESRCH' ? 3 : 1;
      if (option === 1156) throw Object.assign(new Error(gone), { errno, code: gone, syscall: 'getsockopt' });
      if (option === 1153) new DataView(buffer.buffer, buffer.byteOffset).setUint32(8, 2, true);
      if (option === 1154) buffer.set(services.subarray(8, 8 + 2 * 104), 8);
      return buffer.length;
    },
    getEach(_, buffer, lengths, count) {
      if (gone !== undefined) return 0;
      let start = 0;
      for (const length of lengths.subarray(0, count)) {
        asked.push(length);
        buffer.set(Array.from(answer).slice(24, length), start + 24);
        start += length;
      }
      return count;
    },
    close: () => undefined,
    closed: false,
  });
}
