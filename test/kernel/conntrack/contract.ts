import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Family } from '../../../src/core/model/facts.ts';
import { families } from '../../../src/core/model/facts.ts';
import type { UdpFlow } from '../../../src/core/model/flow.ts';
import type { ConntrackPort } from '../../../src/kernel/ports.ts';

/** A flow without the number that the kernel gives it. */
export type Ends = Omit<UdpFlow, 'id'>;

/** One connection tracking under test. */
export interface ConntrackUnderTest {
  readonly conntrack: ConntrackPort;
  /** Makes flows, as datagrams would. */
  readonly track: (flows: readonly Ends[]) => void;
  /** Compares what the port says with what another program reads. */
  readonly check?: () => void;
  readonly close: () => void;
}

/** From a client to the VIP of a DNS Service, answered by its endpoint. */
export const dns: Readonly<Record<Family, Ends>> = {
  IPv4: {
    source: { address: '10.9.0.2', port: 5001 },
    destination: { address: '10.96.0.1', port: 53 },
    replySource: { address: '10.1.0.2', port: 8080 },
  },
  IPv6: {
    source: { address: 'fd00::2', port: 5001 },
    destination: { address: 'fd00:96::1', port: 53 },
    replySource: { address: 'fd00:1::2', port: 8080 },
  },
};

/** What every implementation of the port does. */
export function testConntrackContract(make: () => ConntrackUnderTest): void {
  let subject: ConntrackUnderTest;
  const list = (family: Family): UdpFlow[] => [...subject.conntrack.flows(family)].flat();

  beforeEach(() => {
    subject = make();
  });

  afterEach(() => subject.close());

  it('has nothing to list at first', () => {
    for (const family of families) expect(list(family)).toEqual([]);
  });

  it.each(families)('lists flows over %s and no others', (family) => {
    subject.track([dns.IPv4, dns.IPv6]);
    expect(list(family)).toEqual([{ id: expect.any(Number), ...dns[family] }]);
    subject.check?.();
  });

  it.each(families)('deletes what it is told to over %s, and nothing else', (family) => {
    subject.track([dns[family], fromPort(dns[family], 5002), fromPort(dns[family], 65535)]);
    const doomed = list(family).filter((flow) => flow.source.port !== 5002);
    expect(subject.conntrack.remove(doomed)).toEqual({ failures: [], unknown: false });
    expect(list(family).map((flow) => flow.source.port)).toEqual([5002]);
    subject.check?.();
  });

  it('says ENOENT of a flow that is gone, and deletes the others', () => {
    subject.track([dns.IPv4, fromPort(dns.IPv4, 5002)]);
    const [one, other] = byPort(list('IPv4'));
    if (one === undefined || other === undefined) throw new Error('expected two flows');
    subject.conntrack.remove([one]);
    const { failures } = subject.conntrack.remove([one, other]);
    expect(failures.map(({ index, error }) => [index, error.code])).toEqual([[0, 'ENOENT']]);
    expect(list('IPv4')).toEqual([]);
  });

  it('leaves alone a flow that has another number', () => {
    subject.track([dns.IPv4]);
    const [flow] = list('IPv4');
    if (flow === undefined) throw new Error('expected a flow');
    const { failures } = subject.conntrack.remove([{ ...flow, id: (flow.id ^ 1) >>> 0 }]);
    expect(failures.map(({ error }) => error.code)).toEqual(['ENOENT']);
    expect(list('IPv4')).toEqual([flow]);
  });

  it('hands over many flows in pieces, each flow once', () => {
    const many = Array.from({ length: 500 }, (_, index) => fromPort(dns.IPv6, 10_000 + index));
    subject.track(many);
    const pieces = [...subject.conntrack.flows('IPv6')];
    expect(pieces.length).toBeGreaterThan(1);
    expect(byPort(pieces.flat()).map((flow) => flow.source.port)).toEqual(many.map((flow) => flow.source.port));
  });

  it('may be left in the middle of a list, deleted from, and read again', () => {
    subject.track(Array.from({ length: 500 }, (_, index) => fromPort(dns.IPv6, 10_000 + index)));
    for (const piece of subject.conntrack.flows('IPv6')) {
      expect(subject.conntrack.remove(piece).failures).toEqual([]);
      expect(list('IPv6')).toHaveLength(500 - piece.length);
      break;
    }
  });

  it('takes an empty list of deletions', () => {
    subject.track([dns.IPv4]);
    expect(subject.conntrack.remove([])).toEqual({ failures: [], unknown: false });
    expect(list('IPv4')).toHaveLength(1);
  });
}

function fromPort(flow: Ends, port: number): Ends {
  return { ...flow, source: { ...flow.source, port } };
}

function byPort(flows: readonly UdpFlow[]): UdpFlow[] {
  return [...flows].sort((one, other) => one.source.port - other.source.port);
}
