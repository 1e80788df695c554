import { describe, expect, it } from 'vitest';
import type { IpvsSockoptHandle } from '../../../native/index.ts';
import { copyDestination } from '../../../src/kernel/ipvs/shown-destination.ts';
import {
  countDestinationsIPv4,
  createSockopt,
  listServicesSteps,
  readDestinationsIPv4,
  readServicesIPv4,
} from '../../../src/kernel/ipvs/sockopt.ts';
import { readTimeouts } from '../../../src/kernel/ipvs/timeouts.ts';
import { createBatch } from '../../../src/kernel/netlink/batch.ts';
import { createNetlinkSocket } from '../../../src/kernel/netlink/socket.ts';
import { scriptedHandle } from '../netlink/scripted-handle.ts';
import { acknowledgement } from './acknowledgement.ts';
import * as golden from './golden.ts';
import { addressIdentity } from './operations.ts';

const web = addressIdentity();

describe('reading by getsockopt', () => {
  it('asks again with more room when virtual servers were added since they were counted', () => {
    const { handle, asked } = table({ counted: 0, services: golden.sockoptServices });
    expect(readServicesIPv4(createSockopt(handle), 'all')).toHaveLength(2);
    expect(asked).toEqual([12, 8 + 104, 8 + 2 * 104, 8 + 4 * 104]);
  });

  it('makes room for many virtual servers in steps, and asks for them in one', () => {
    const { handle, asked } = table({ counted: 10_000, services: golden.sockoptServices });
    const sockopt = createSockopt(handle);
    const steps = listServicesSteps(sockopt);
    const zeroed: number[] = [];
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) {
      // What was not reached yet is as the test makes it.
      zeroed.push(sockopt.list.bytes.findIndex((byte) => byte !== 0));
      sockopt.list.bytes.fill(1, zeroed.length * 65_536);
    }
    expect(asked).toEqual([12, 8 + 10_001 * 104]);
    const whole = Array.from({ length: 14 }, (_each, nth) => (nth + 2) * 65_536);
    expect(zeroed.slice(1)).toEqual([...whole, 8 + 10_001 * 104]);
    expect(step.value).toBe(2);
  });

  it('asks again with more room when destinations were added since they were counted', () => {
    const { handle, asked } = table({ counted: 0, services: golden.sockoptServices });
    expect(readDestinationsIPv4(createSockopt(handle), web, { count: 0, make: copyDestination })).toHaveLength(2);
    expect(asked).toEqual([24 + 96, 24 + 2 * 96, 24 + 4 * 96]);
  });

  it('tells a virtual server that is gone from one without destinations', () => {
    const sockopt = createSockopt(refusing(3, 'ESRCH'));
    expect(readDestinationsIPv4(sockopt, web, { count: 5, make: copyDestination })).toBeUndefined();
    expect(countDestinationsIPv4(sockopt, web)).toBeUndefined();
  });

  it('can be content with virtual servers of firewall marks', () => {
    const { handle } = table({ counted: 2, services: golden.sockoptServices });
    const found = readServicesIPv4(createSockopt(handle), 'marks').map((entry) => entry.server.identity);
    expect(found).toEqual([{ kind: 'fwmark', family: 'IPv4', mark: 1001 }]);
  });

  it('passes other errors on', () => {
    const sockopt = createSockopt(refusing(1, 'EPERM'));
    expect(() => readServicesIPv4(sockopt, 'all')).toThrow('read IPv4 virtual servers: EPERM');
    expect(() => readDestinationsIPv4(sockopt, web, { count: 5, make: copyDestination })).toThrow(
      'read IPv4 destinations: EPERM',
    );
  });
});

describe('reading the timeouts', () => {
  it('understands the kernel', () => {
    const answer = Buffer.from(golden.timeouts);
    answer.writeUInt32LE(1, 8);
    const socket = createNetlinkSocket(scriptedHandle(() => [answer, acknowledgement(1, 0)]));
    expect(readTimeouts({ socket, familyId: 0x17, batch: createBatch() })).toEqual({ tcp: 900, tcpFin: 120, udp: 300 });
  });
});

/** Answers as the kernel does: no more entries than there is room for, the rest left alone. */
function table(recorded: { counted: number; services: Buffer }): { handle: IpvsSockoptHandle; asked: number[] } {
  const asked: number[] = [];
  const handle: IpvsSockoptHandle = {
    get(option, buffer) {
      asked.push(buffer.length);
      if (option === 1153) new DataView(buffer.buffer, buffer.byteOffset).setUint32(8, recorded.counted, true);
      if (option === 1154) buffer.set(recorded.services.subarray(8, Math.min(buffer.length, 8 + 2 * 104)), 8);
      if (option === 1156)
        buffer.set(golden.sockoptDestinations.subarray(24, Math.min(buffer.length, 24 + 2 * 96)), 24);
      return buffer.length;
    },
    getEach: () => 0,
    close: () => undefined,
    closed: false,
  };
  return { handle, asked };
}

function refusing(errno: number, code: string): IpvsSockoptHandle {
  return {
    get() {
      throw Object.assign(new Error(`getsockopt ${code}`), { errno, code, syscall: 'getsockopt' });
    },
    getEach: () => 0,
    close: () => undefined,
    closed: false,
  };
}
