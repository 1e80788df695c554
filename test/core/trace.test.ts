import { describe, expect, it } from 'vitest';
import { adoptReading } from '../../src/core/actual.ts';
import { emptyAddresses } from '../../src/core/address-index.ts';
import { compileService } from '../../src/core/compile.ts';
import { emptyDesired, setContribution, setStanding } from '../../src/core/desired.ts';
import type { CompileContext } from '../../src/core/model/context.ts';
import type { EndpointFact, ServiceFact } from '../../src/core/model/facts.ts';
import { standingElements } from '../../src/core/standing-elements.ts';
import type { Packet, TraceNode } from '../../src/core/trace/packet.ts';
import type { Trace } from '../../src/core/trace/result.ts';
import { rules } from '../../src/core/trace/rules.ts';
import { kernelState, type TraceState, wantedState } from '../../src/core/trace/state.ts';
import { trace } from '../../src/core/trace/trace.ts';
import { type ChainName, chainNames, chainText } from '../../src/kernel/nft/chains.ts';
import { cidrs, context, nodeAddresses } from '../support/context.ts';
import { endpoint, localEndpoint, service, servicePort, slice } from '../support/facts.ts';

const MARK = 4_096;
const [NODE] = nodeAddresses;
const POD = '10.1.0.1';
const REMOTE_POD = '10.1.7.1';
const CLIENT = '203.0.113.9';
const CLUSTER_IP = '10.96.0.1';
const LOAD_BALANCER_IP = '198.51.100.1';

function programmed(
  fields: Partial<Omit<ServiceFact, 'key'>> = {},
  endpoints: readonly EndpointFact[] = [localEndpoint(POD), endpoint(REMOTE_POD)],
  rest: Partial<CompileContext> = {},
): TraceState {
  const fact = service({
    type: 'LoadBalancer',
    loadBalancerIPs: [LOAD_BALANCER_IP],
    ports: [servicePort({ nodePort: 30_080 })],
    ...fields,
  });
  const input = {
    service: fact,
    slices: [slice(endpoints)],
    addresses: emptyAddresses(),
    last: undefined,
    markOf: () => MARK,
  };
  const desired = emptyDesired();
  const compiled = context({ podSources: cidrs('10.1.0.0/16'), ...rest });
  setStanding(desired, standingElements(compiled));
  setContribution(desired, fact.key, compileService({ ...input, context: compiled }));
  return wantedState(desired);
}

function node(podInterface?: string): TraceNode {
  return {
    addresses: context().nodeAddresses,
    podInterface,
    masqueradeMark: 0x4000,
    sourceTowards: (address) => (address.startsWith('10.1.0.') ? '10.1.0.254' : NODE),
    interfaceTowards: (address) => (address.startsWith('10.1.0.') ? 'cali12' : 'eth0'),
  };
}

function packet(source: string | undefined, destination: string, port = 80): Packet {
  return { source, destination, port, protocol: 'TCP' };
}

function follow(state: TraceState, sent: Packet, on: TraceNode = node()): Trace {
  return trace(sent, state, on);
}

/** One line for each step, one for the end, one for each destination. */
function show(found: Trace): readonly string[] {
  const steps = found.steps.map((step) => {
    switch (step.step) {
      case 'source':
        return `${step.kind} ${step.address}`;
      case 'destination':
        return step.kind;
      case 'rule':
        return `${step.rule.chain}: ${step.element} mark ${step.mark}`;
      case 'virtual-server':
        return `${step.view} ${step.key} of ${step.origin} by ${step.scheduler} ${step.persistenceSeconds} s`;
    }
  });
  const { verdict } = found;
  const ends =
    verdict.kind === 'balanced'
      ? verdict.destinations.map(({ key, sees }) => `${key} sees ${sees.kind} ${sees.address}`)
      : [`${verdict.kind}: ${verdict.why}`];
  return [...steps, ...ends];
}

describe('the way of a packet', () => {
  it('of a pod to a ClusterIP keeps the source', () => {
    expect(show(follow(programmed(), packet('10.1.0.9', CLUSTER_IP)))).toEqual([
      'pod 10.1.0.9',
      'vip',
      'plain TCP 10.96.0.1:80 of default/web by rr 0 s',
      '10.1.0.1:8080 sees unchanged 10.1.0.9',
      '10.1.7.1:8080 sees unchanged 10.1.0.9',
    ]);
  });

  it('of a client to a ClusterIP is masqueraded by the address towards each endpoint', () => {
    expect(show(follow(programmed(), packet(CLIENT, CLUSTER_IP)))).toEqual([
      'other-host 203.0.113.9',
      'vip',
      'before_ipvs: masquerade_outside TCP 10.96.0.1:80 mark 16384',
      'plain TCP 10.96.0.1:80 of default/web by rr 0 s',
      '10.1.0.1:8080 sees masqueraded 10.1.0.254',
      '10.1.7.1:8080 sees masqueraded 192.168.0.1',
    ]);
  });

  it('of a client is the same as of a pod when pods cannot be told from others', () => {
    const state = programmed({}, undefined, { detectsLocal: { IPv4: false, IPv6: false }, podSources: [] });
    expect(show(follow(state, packet(CLIENT, CLUSTER_IP)))).toEqual([
      'other-host 203.0.113.9',
      'vip',
      'plain TCP 10.96.0.1:80 of default/web by rr 0 s',
      '10.1.0.1:8080 sees unchanged 203.0.113.9',
      '10.1.7.1:8080 sees unchanged 203.0.113.9',
    ]);
  });

  it.each([
    ['cali*', '10.1.0.9', 'pod'],
    ['cali12', '10.1.0.9', 'pod'],
    ['cali1', '10.1.0.9', 'other-host'],
    // A pod of another node comes by the interface of the nodes.
    ['cali*', REMOTE_POD, 'other-host'],
  ])('is that of a pod by the interface %s: %s is %s', (podInterface, source, kind) => {
    const state = programmed({ externalTrafficPolicy: 'Local' }, undefined, { podSources: [] });
    const [start] = follow(state, packet(source, NODE, 30_080), node(podInterface)).steps;
    expect(start).toMatchObject({ step: 'source', kind });
  });

  it('of the node to a VIP starts at the source in its route', () => {
    expect(show(follow(programmed(), packet(undefined, CLUSTER_IP))).slice(0, 4)).toEqual([
      `process-on-this-node ${NODE}`,
      'vip',
      'plain TCP 10.96.0.1:80 of default/web by rr 0 s',
      `10.1.0.1:8080 sees unchanged ${NODE}`,
    ]);
  });

  it('of the node to its own node port is masqueraded, in the view of clients inside too', () => {
    const asked = follow(programmed(), packet(NODE, NODE, 30_080));
    expect(show(asked)).toContain('before_ipvs_from_node: masquerade TCP 192.168.0.1:30080 mark 16384');
    const inside = follow(programmed({ externalTrafficPolicy: 'Local' }), packet(NODE, NODE, 30_080));
    expect(show(inside)).toEqual([
      `process-on-this-node ${NODE}`,
      'node-address',
      'before_ipvs_from_node: inside_view TCP 192.168.0.1:30080 mark 4096',
      'inside FWM 4096 IPv4 of default/web by rr 0 s',
      '10.1.0.1:8080 sees masqueraded 10.1.0.254',
      '10.1.7.1:8080 sees masqueraded 192.168.0.1',
    ]);
  });

  it('under policy Local depends on who sent it', () => {
    const state = programmed({ externalTrafficPolicy: 'Local' });
    expect(show(follow(state, packet(CLIENT, LOAD_BALANCER_IP))).slice(2)).toEqual([
      'plain TCP 198.51.100.1:80 of default/web by rr 0 s',
      '10.1.0.1:8080 sees unchanged 203.0.113.9',
    ]);
    expect(show(follow(state, packet('10.1.0.9', LOAD_BALANCER_IP))).slice(2)).toEqual([
      'before_ipvs: inside_view TCP 198.51.100.1:80 mark 4096',
      'inside FWM 4096 IPv4 of default/web by rr 0 s',
      '10.1.0.1:8080 sees unchanged 10.1.0.9',
      '10.1.7.1:8080 sees unchanged 10.1.0.9',
    ]);
  });

  it('of a pod that reaches itself is masqueraded to that one endpoint', () => {
    expect(show(follow(programmed(), packet(POD, CLUSTER_IP))).slice(-2)).toEqual([
      '10.1.0.1:8080 sees masqueraded 10.1.0.254',
      `10.1.7.1:8080 sees unchanged ${POD}`,
    ]);
  });

  it('tells of affinity', () => {
    const asked = follow(programmed({ affinityTimeoutSeconds: 90 }), packet('10.1.0.9', CLUSTER_IP));
    expect(show(asked)).toContain('plain TCP 10.96.0.1:80 of default/web by rr 90 s');
  });
});

describe('a packet that nobody gets', () => {
  const remoteOnly = [endpoint(REMOTE_POD)];

  it('is dropped when the internal policy leaves no endpoint', () => {
    const state = programmed({ internalTrafficPolicy: 'Local' }, remoteOnly);
    for (const [source, chain] of [
      [CLIENT, 'before_ipvs'],
      ['10.1.0.9', 'before_ipvs'],
      [undefined, 'before_ipvs_from_node'],
    ] as const) {
      expect(show(follow(state, packet(source, CLUSTER_IP))).slice(2)).toEqual([
        `${chain}: drop TCP 10.96.0.1:80 mark 0`,
        'dropped: no-endpoint-that-the-policy-allows',
      ]);
    }
  });

  it('is dropped for clients outside when the external policy leaves no endpoint', () => {
    const state = programmed({ externalTrafficPolicy: 'Local' }, remoteOnly);
    expect(show(follow(state, packet(CLIENT, NODE, 30_080))).slice(2)).toEqual([
      'before_ipvs: drop_outside TCP 192.168.0.1:30080 mark 0',
      'dropped: no-endpoint-that-the-policy-allows',
    ]);
    expect(show(follow(state, packet('10.1.0.9', NODE, 30_080))).slice(-1)).toEqual([
      '10.1.7.1:8080 sees unchanged 10.1.0.9',
    ]);
  });

  it('is rejected without endpoints, and with endpoints of weight 0 only', () => {
    for (const state of [programmed({}, []), withWeights(programmed(), 0)]) {
      expect(show(follow(state, packet(CLIENT, CLUSTER_IP))).slice(-1)).toEqual(['rejected: no-endpoint']);
    }
  });

  it('is rejected on other ports of a VIP', () => {
    for (const source of [CLIENT, '10.1.0.9', undefined]) {
      expect(show(follow(programmed(), packet(source, CLUSTER_IP, 81))).slice(2)).toEqual([
        'after_ipvs: vips 10.96.0.1 mark 0',
        'rejected: no-port-of-a-service',
      ]);
    }
  });
});

describe('a service address that no Service has', () => {
  const state = programmed({}, undefined, { serviceCIDRs: cidrs('10.96.0.0/12') });

  it.each([
    ['10.1.0.9', 'unallocated'],
    ['203.0.113.7', 'unallocated'],
    [undefined, 'before_ipvs_from_node'],
  ])('leads nowhere for %s', (source, chain) => {
    const found = follow(state, packet(source, '10.96.9.9'));
    expect(found.verdict).toEqual({ kind: 'dropped', why: 'no-service-has-it' });
    expect(show(found)).toContain(`${chain}: service_ranges 10.96.0.0/12 mark 0`);
  });

  it('is another than one that a Service has, and than one outside of the ranges', () => {
    expect(follow(state, packet('10.1.0.9', '10.96.0.1')).verdict.kind).toBe('balanced');
    expect(follow(state, packet('10.1.0.9', '10.200.0.9')).verdict.kind).toBe('passed');
  });
});

describe('source ranges', () => {
  const state = programmed({ loadBalancerSourceRanges: ['203.0.113.0/24', '192.168.0.1/32'] });

  it('let those in that they name, on the load-balancer IP', () => {
    expect(show(follow(state, packet(CLIENT, LOAD_BALANCER_IP))).slice(-1)).toEqual([
      '10.1.7.1:8080 sees masqueraded 192.168.0.1',
    ]);
    expect(follow(state, packet(undefined, LOAD_BALANCER_IP)).verdict.kind).toBe('balanced');
    expect(follow(state, packet(LOAD_BALANCER_IP, LOAD_BALANCER_IP)).verdict.kind).toBe('balanced');
  });

  it('drop everybody else there, pods too', () => {
    for (const source of ['198.18.0.1', '10.1.0.9']) {
      expect(show(follow(state, packet(source, LOAD_BALANCER_IP))).slice(2)).toEqual([
        'before_ipvs: restricted TCP 198.51.100.1:80 mark 0',
        'dropped: source-not-allowed',
      ]);
    }
    const withoutNode = programmed({ loadBalancerSourceRanges: ['203.0.113.0/24'] });
    expect(show(follow(withoutNode, packet(undefined, LOAD_BALANCER_IP))).slice(2)).toEqual([
      'before_ipvs_from_node: restricted TCP 198.51.100.1:80 mark 0',
      'dropped: source-not-allowed',
    ]);
  });

  it('leave node ports and the ClusterIP open', () => {
    expect(follow(state, packet('198.18.0.1', NODE, 30_080)).verdict.kind).toBe('balanced');
    expect(follow(state, packet('198.18.0.1', CLUSTER_IP)).verdict.kind).toBe('balanced');
  });
});

describe('an address of a service range that no Service has', () => {
  const state = programmed({}, undefined, { serviceCIDRs: cidrs('10.96.0.0/16') });

  it.each([
    [CLIENT, 'unallocated'],
    ['10.1.0.9', 'unallocated'],
    [undefined, 'before_ipvs_from_node'],
  ])('is nowhere for %s', (source, chain) => {
    expect(show(follow(state, packet(source, '10.96.7.7'))).slice(1)).toEqual([
      'elsewhere',
      `${chain}: service_ranges 10.96.0.0/16 mark 0`,
      'dropped: no-service-has-it',
    ]);
    expect(follow(state, packet(source, CLUSTER_IP)).verdict.kind).toBe('balanced');
  });
});

describe('a packet that is not sluice’s', () => {
  it('goes on to the servers of the node', () => {
    expect(show(follow(programmed(), packet(CLIENT, NODE, 22))).slice(1)).toEqual([
      'node-address',
      'passed: no-virtual-server',
    ]);
  });

  it.each([CLIENT, '10.1.0.9', undefined])('goes on to other hosts, sent by %s', (source) => {
    expect(show(follow(programmed(), packet(source, '192.168.0.2', 30_080))).slice(1)).toEqual([
      'elsewhere',
      'passed: not-for-this-node',
    ]);
  });
});

describe('what the kernel holds', () => {
  it('is followed like what is wanted', () => {
    const identity = { kind: 'address', protocol: 'TCP', address: CLUSTER_IP, port: 80 } as const;
    const server = { identity, scheduler: 'lc', flags: 0, timeoutSeconds: 0, prefixLength: 32 };
    const destination = {
      address: POD,
      port: 8080,
      weight: 1,
      forwarding: 'masquerade',
      activeConnections: 0,
    } as const;
    const draining = { ...destination, address: REMOTE_POD, weight: 0, inactiveConnections: 0 };
    const state = kernelState(
      adoptReading({
        virtualServers: [{ server, destinations: [{ ...destination, inactiveConnections: 0 }, draining] }],
        vips: [{ address: CLUSTER_IP, onInterface: true, routed: true, source: NODE }],
        elements: [
          { set: 'vips', address: CLUSTER_IP },
          { set: 'pod_sources', range: '10.1.0.0/16' },
          { set: 'virtual_servers', address: CLUSTER_IP, protocol: 'TCP', port: 80, comment: 'default/web' },
        ],
      }),
    );
    expect(show(follow(state, packet('10.1.0.9', CLUSTER_IP)))).toEqual([
      'pod 10.1.0.9',
      'vip',
      'plain TCP 10.96.0.1:80 of default/web by lc 0 s',
      '10.1.0.1:8080 sees unchanged 10.1.0.9',
    ]);
  });
});

describe('the rules of the table', () => {
  const input = { mark: 0x4000, viewMask: 0x3fff, podInterface: undefined };
  const named = new Set(Object.values(rules).map(({ chain, comment }) => `${chain}: ${comment}`));
  /** They concern packets that are no first ones of a connection of a Service. */
  const unnamed = [
    'after_ipvs: answers to this node',
    'after_ipvs: ping and errors',
    'before_ipvs: steered here',
    'before_ipvs_from_node: steered here',
    'clamp: fits the tunnel',
    'steer: to this node',
    'steer_from_node: to this node',
  ];

  it('are known to trace, and trace names no others', () => {
    const chains: readonly ChainName[] = chainNames.filter((name) => name !== 'unmark');
    const found = chains.flatMap((chain) => {
      const [, ...commented] = chainText(chain, input).split('\n').slice(2);
      return commented.flatMap((line) => /comment "(.*)"/.exec(line)?.[1] ?? []).map((text) => `${chain}: ${text}`);
    });
    expect([...new Set(found)].filter((rule) => !unnamed.includes(rule)).sort()).toEqual([...named].sort());
  });
});

function withWeights(state: TraceState, weight: number): TraceState {
  return {
    ...state,
    virtualServer: (key) => {
      const found = state.virtualServer(key);
      const destinations = (found?.destinations ?? []).map((each) => ({ ...each, weight }));
      return found === undefined ? undefined : { ...found, destinations };
    },
  };
}
