import { describe, expect, it } from 'vitest';
import type { Claim } from '../../src/core/desired.ts';
import { applyChanges, emptyFacts } from '../../src/core/facts.ts';
import { frontendKey } from '../../src/core/keys.ts';
import type { EndpointFact, EndpointSliceFact, Family, ServiceFact } from '../../src/core/model/facts.ts';
import type { UdpFlow } from '../../src/core/model/flow.ts';
import { type FlowTargetsInput, flowTargets, isStale } from '../../src/core/stale-flows.ts';
import { finish } from '../../src/core/steps.ts';
import { endpoint, service, servicePort, slice } from '../support/facts.ts';

const gone: Partial<EndpointFact> = { ready: false, serving: false };
const terminating: Partial<EndpointFact> = { ready: false, terminating: true };
const udpPort = servicePort({ name: 'dns', protocol: 'UDP', port: 53, nodePort: 30053 });
const dns = service({
  name: 'dns',
  clusterIPs: ['10.96.0.10', 'fd00:96::10'],
  externalIPs: ['198.51.100.1'],
  loadBalancerIPs: ['198.51.100.2'],
  ports: [udpPort, servicePort({ name: 'dns-tcp', port: 53 })],
});

describe('a UDP flow', () => {
  it('is stale when its answers are to come from no serving endpoint', () => {
    const stale = judge([dns], [udpSlice(endpoint('10.1.0.1'), endpoint('10.1.0.2', gone))]);
    expect(stale(flow('10.96.0.10:53', '10.1.0.1:5353'))).toBe(false);
    expect(stale(flow('10.96.0.10:53', '10.1.0.2:5353'))).toBe(true);
    expect(stale(flow('10.96.0.10:53', '10.1.0.9:5353'))).toBe(true);
    expect(stale(flow('10.96.0.10:53', '10.1.0.1:53'))).toBe(true);
  });

  it('that was made before there was a virtual server is stale (#125467)', () => {
    const stale = judge([dns], [udpSlice(endpoint('10.1.0.1'))]);
    expect(stale(flow('10.96.0.10:53', '10.96.0.10:53'))).toBe(true);
  });

  it('that an endpoint answers directly has the VIP itself as the source of its answers', () => {
    const direct = { set: 'direct_view', address: '198.51.100.1', protocol: 'UDP', port: 53, mark: 7 } as const;
    const input = inputOf([dns], [udpSlice(endpoint('10.1.0.1'))]);
    const key = frontendKey('UDP', direct.address, direct.port);
    const resources = [{ kind: 'element', key: `direct_view ${key}`, value: direct } as const];
    const claim: Claim = { service: dns.key, createdAt: 0, frontend: { key, resources } };
    const claims = new Map([...input.desired.claims, [key, [claim]]]);
    const targets = finish(flowTargets({ ...input, desired: { claims } }, [dns.key], 'IPv4'));
    expect(isStale(flow('198.51.100.1:53', '198.51.100.1:53'), targets)).toBe(false);
    expect(isStale(flow('198.51.100.1:53', '10.1.0.9:5353'), targets)).toBe(true);
    expect(isStale(flow('198.51.100.2:53', '198.51.100.2:53'), targets)).toBe(true);
  });

  it('is looked at on every address of the Service, and on node ports at every address of the node', () => {
    const stale = judge([dns], [udpSlice(endpoint('10.1.0.1'))]);
    const atDeadEnd = (destination: string): boolean => stale(flow(destination, '10.1.0.9:5353'));
    expect(['10.96.0.10:53', '198.51.100.1:53', '198.51.100.2:53'].map(atDeadEnd)).toEqual([true, true, true]);
    expect(['192.0.2.1:30053', '192.0.2.2:30053', '127.0.0.1:30053'].map(atDeadEnd)).toEqual([true, true, true]);
  });

  it('is left alone when it is nobody’s, or on its way to another node', () => {
    const stale = judge([dns], [udpSlice(endpoint('10.1.0.1'))]);
    const atDeadEnd = (destination: string): boolean => stale(flow(destination, '10.1.0.9:5353'));
    expect(['10.96.0.10:54', '10.96.0.11:53', '192.0.2.1:53', '192.0.2.77:30053'].map(atDeadEnd)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it('stays on an endpoint that terminates, whatever the traffic policy and the node', () => {
    const local = { ...dns, internalTrafficPolicy: 'Local', externalTrafficPolicy: 'Local' } as const;
    const slices = [udpSlice(endpoint('10.1.0.1'), endpoint('10.1.0.2', { ...terminating, nodeName: 'node-z' }))];
    expect(judge([local], slices)(flow('10.96.0.10:53', '10.1.0.2:5353'))).toBe(false);
  });

  it('stays on an endpoint that is published though it does not serve', () => {
    const stale = judge([dns], [udpSlice(endpoint('10.1.0.1'), endpoint('10.1.0.2', { serving: false }))]);
    expect(stale(flow('10.96.0.10:53', '10.1.0.2:5353'))).toBe(false);
  });

  it('stays when no endpoint serves', () => {
    expect(judge([dns], [udpSlice(endpoint('10.1.0.2', gone))])(flow('10.96.0.10:53', '10.1.0.2:5353'))).toBe(false);
    expect(judge([dns], [])(flow('10.96.0.10:53', '10.1.0.2:5353'))).toBe(false);
  });

  it('stays when only a TCP port has that address and number', () => {
    const web = service({ name: 'web', clusterIPs: ['10.96.0.20'], ports: [servicePort({ port: 80 })] });
    const stale = judge([web], [slice([endpoint('10.1.0.1')], { service: 'default/web' })]);
    expect(stale(flow('10.96.0.20:80', '10.1.0.9:80'))).toBe(false);
  });

  it('is judged in its own family', () => {
    const slices = [udpSlice(endpoint('10.1.0.1')), udpSlice6(endpoint('fd00:1::1'))];
    const stale = judge([dns], slices, 'IPv6');
    expect(stale(flow('[fd00:96::10]:53', '[fd00:1::1]:5353'))).toBe(false);
    expect(stale(flow('[fd00:96::10]:53', '[fd00:1::9]:5353'))).toBe(true);
    expect(stale(flow('[2001:db8::1]:30053', '[fd00:1::9]:5353'))).toBe(true);
    expect(stale(flow('10.96.0.10:53', '10.1.0.9:5353'))).toBe(false);
  });

  it('belongs to the Service that owns the frontend', () => {
    const younger = service({
      name: 'later',
      createdAt: 2_000,
      clusterIPs: ['10.96.0.30'],
      externalIPs: ['198.51.100.1'],
      ports: [udpPort],
    });
    const slices = [udpSlice(endpoint('10.1.0.1')), udpSlice(endpoint('10.1.0.7'))].map((each, index) =>
      index === 0 ? each : { ...each, key: 'default/later-1', service: 'default/later' },
    );
    const stale = judge([dns, younger], slices);
    expect(stale(flow('198.51.100.1:53', '10.1.0.1:5353'))).toBe(false);
    expect(stale(flow('198.51.100.1:53', '10.1.0.7:5353'))).toBe(true);
    expect(stale(flow('10.96.0.30:53', '10.1.0.7:5353'))).toBe(false);
  });

  it('of a Service that changed since is left alone', () => {
    const targets = finish(flowTargets(inputOf([dns], [udpSlice(endpoint('10.1.0.1'))]), [dns.key], 'IPv4'));
    const atDeadEnd = flow('10.96.0.10:53', '10.1.0.9:5353');
    expect(isStale(atDeadEnd, targets, new Set(['default/other']))).toBe(true);
    expect(isStale(atDeadEnd, targets, new Set([dns.key]))).toBe(false);
  });

  it('of a Service that was not asked for is left alone', () => {
    const input = inputOf([dns], [udpSlice(endpoint('10.1.0.1'))]);
    const targets = finish(flowTargets(input, ['default/other'], 'IPv4'));
    expect(isStale(flow('10.96.0.10:53', '10.1.0.9:5353'), targets)).toBe(false);
  });
});

function judge(
  services: readonly ServiceFact[],
  slices: readonly EndpointSliceFact[],
  family: Family = 'IPv4',
): (flow: UdpFlow) => boolean {
  const targets = finish(
    flowTargets(
      inputOf(services, slices),
      services.map((each) => each.key),
      family,
    ),
  );
  return (each) => isStale(each, targets);
}

/** The Services in the order of their age. */
function inputOf(services: readonly ServiceFact[], slices: readonly EndpointSliceFact[]): FlowTargetsInput {
  const facts = emptyFacts('node-a');
  applyChanges(facts, [
    ...services.map((fact) => ({ change: 'set', kind: 'Service', fact }) as const),
    ...slices.map((fact) => ({ change: 'set', kind: 'EndpointSlice', fact }) as const),
  ]);
  const claims = new Map<string, readonly Claim[]>();
  for (const { key: owner, createdAt, ...each } of services) {
    const addresses = [...each.clusterIPs, ...each.externalIPs, ...each.loadBalancerIPs];
    for (const { protocol, port } of each.ports) {
      for (const key of addresses.map((address) => frontendKey(protocol, address, port))) {
        const claim = { service: owner, createdAt, frontend: { key, resources: [] } };
        claims.set(key, [...(claims.get(key) ?? []), claim]);
      }
    }
  }
  const nodeAddresses = new Set(['192.0.2.1', '192.0.2.2', '127.0.0.1', '2001:db8::1']);
  return { facts, desired: { claims }, context: { node: { name: 'node-a', zone: '' }, nodeAddresses } };
}

function udpSlice(...endpoints: readonly EndpointFact[]): EndpointSliceFact {
  const ports = [{ name: 'dns', protocol: 'UDP', port: 5353 }] as const;
  return slice(endpoints, { key: 'default/dns-1', service: 'default/dns', ports });
}

function udpSlice6(...endpoints: readonly EndpointFact[]): EndpointSliceFact {
  return { ...udpSlice(...endpoints), key: 'default/dns-2', family: 'IPv6' };
}

/** A flow of some client: `flow('10.96.0.10:53', '10.1.0.1:5353')`. */
function flow(destination: string, replySource: string): UdpFlow {
  const isIPv6 = destination.startsWith('[');
  return {
    id: 1,
    source: { address: isIPv6 ? 'fd00::2' : '10.9.0.2', port: 5001 },
    destination: endOf(destination),
    replySource: endOf(replySource),
  };
}

function endOf(text: string): UdpFlow['source'] {
  const colon = text.lastIndexOf(':');
  return { address: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}
