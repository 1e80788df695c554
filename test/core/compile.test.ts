import { describe, expect, it } from 'vitest';
import { emptyAddresses } from '../../src/core/address-index.ts';
import { type CompileInput, compileService } from '../../src/core/compile.ts';
import { destinationKey, filterElementKey } from '../../src/core/keys.ts';
import type { EndpointSliceFact, ServiceFact } from '../../src/core/model/facts.ts';
import type { Contribution, Frontend, Resource } from '../../src/core/model/resource.ts';
import { context } from '../support/context.ts';
import { endpoint, localEndpoint, notReady, service, servicePort, slice, terminating } from '../support/facts.ts';

const MARK = 4_096;
const L = localEndpoint('10.1.0.1');
const R = endpoint('10.1.0.2');
const L6 = localEndpoint('fd00::1');

function compile(
  fact: ServiceFact,
  slices: readonly EndpointSliceFact[],
  rest: Partial<CompileInput> = {},
): Contribution {
  const addresses = emptyAddresses();
  return compileService({
    service: fact,
    slices,
    context: context(),
    addresses,
    last: undefined,
    markOf: () => MARK,
    ...rest,
  });
}

/** The resources of one frontend: its servers with destinations, its VIP, its elements without the ownership. */
function show(contribution: Contribution, key: string): readonly string[] {
  const frontend = contribution.frontends.find((each) => each.key === key);
  return frontend === undefined ? ['none'] : frontend.resources.flatMap((resource) => showResource(resource, frontend));
}

function showResource(resource: Resource, { key }: Frontend): readonly string[] {
  switch (resource.kind) {
    case 'virtual-server': {
      const destinations = resource.value.destinations.map((to) => destinationKey(to).replace(':8080', ''));
      return [`${resource.key === key ? 'plain' : resource.key} -> ${destinations.join(' ')}`.trim()];
    }
    case 'vip':
      return [`vip from ${resource.value.source ?? 'nowhere'}`];
    case 'health-check':
      return [`port ${resource.value.port}`];
    case 'pod-tunnel':
      return [`tunnel ${resource.value.vip} in ${resource.value.pod}`];
    case 'element': {
      const { set } = resource.value;
      const isRecord = set === 'virtual_servers' || set === 'fwmarks' || set === 'vips' || set === 'hairpin';
      return isRecord ? [] : [filterElementKey(resource.value).replace(` ${key}`, '')];
    }
  }
}

function elements(contribution: Contribution): readonly string[] {
  const all = contribution.frontends.flatMap((frontend) => frontend.resources);
  return [...new Set(all.filter(({ kind }) => kind === 'element').map(({ key }) => key))].sort();
}

const CLUSTER_IP = 'TCP 10.96.0.1:80';
const EXTERNAL = 'TCP 192.0.2.1:80';
const exposed = { type: 'LoadBalancer', loadBalancerIPs: ['192.0.2.1'] } as const;
const FROM = 'vip from 192.168.0.1';

describe('packet semantics by policy', () => {
  it('Cluster: all endpoints; ClusterIP masquerades outsiders, the rest everybody', () => {
    const found = compile(service(exposed), [slice([L, R])]);
    expect(show(found, CLUSTER_IP)).toEqual(['plain -> 10.1.0.1 10.1.0.2', FROM, 'masquerade_outside']);
    expect(show(found, EXTERNAL)).toEqual(['plain -> 10.1.0.1 10.1.0.2', FROM, 'masquerade']);
  });

  it('eTP=Local: local endpoints unmasqueraded for outsiders, all of them for clients inside', () => {
    const found = compile(service({ ...exposed, externalTrafficPolicy: 'Local' }), [slice([L, R])]);
    expect(show(found, CLUSTER_IP)).toEqual(['plain -> 10.1.0.1 10.1.0.2', FROM, 'masquerade_outside']);
    expect(show(found, EXTERNAL)).toEqual([
      'plain -> 10.1.0.1',
      FROM,
      'FWM 4096 IPv4 -> 10.1.0.1 10.1.0.2',
      'inside_view',
    ]);
  });

  it('iTP=Local: local endpoints on the ClusterIP, all of them elsewhere', () => {
    const found = compile(service({ ...exposed, internalTrafficPolicy: 'Local' }), [slice([L, R])]);
    expect(show(found, CLUSTER_IP)).toEqual(['plain -> 10.1.0.1', FROM, 'masquerade_outside']);
    expect(show(found, EXTERNAL)).toEqual(['plain -> 10.1.0.1 10.1.0.2', FROM, 'masquerade']);
  });

  it('both Local: local endpoints on both, and the inside view', () => {
    const policies = { externalTrafficPolicy: 'Local', internalTrafficPolicy: 'Local' } as const;
    const found = compile(service({ ...exposed, ...policies }), [slice([L, R])]);
    expect(show(found, CLUSTER_IP)[0]).toBe('plain -> 10.1.0.1');
    expect(show(found, EXTERNAL)[0]).toBe('plain -> 10.1.0.1');
    expect(show(found, EXTERNAL)[2]).toBe('FWM 4096 IPv4 -> 10.1.0.1 10.1.0.2');
  });

  it('eTP=Local without local endpoints: outsiders are dropped, clients inside are served', () => {
    const found = compile(service({ ...exposed, externalTrafficPolicy: 'Local' }), [slice([R])]);
    expect(show(found, EXTERNAL)).toEqual([
      'plain ->',
      FROM,
      'drop_outside',
      'FWM 4096 IPv4 -> 10.1.0.2',
      'inside_view',
    ]);
    expect(show(found, CLUSTER_IP)).toEqual(['plain -> 10.1.0.2', FROM, 'masquerade_outside']);
  });

  it('iTP=Local without local endpoints: the ClusterIP drops, the rest is served', () => {
    const found = compile(service({ ...exposed, internalTrafficPolicy: 'Local' }), [slice([R])]);
    expect(show(found, CLUSTER_IP)).toEqual(['plain ->', FROM, 'drop', 'masquerade_outside']);
    expect(show(found, EXTERNAL)).toEqual(['plain -> 10.1.0.2', FROM, 'masquerade']);
  });

  it('a Local policy drops too when only terminating endpoints serve elsewhere', () => {
    const found = compile(service({ internalTrafficPolicy: 'Local' }), [slice([endpoint('10.1.0.2', terminating)])]);
    expect(show(found, CLUSTER_IP)).toContain('drop');
  });

  it.each([
    ['no slice', []],
    ['an empty slice', [slice([])]],
    ['dead endpoints', [slice([localEndpoint('10.1.0.1', notReady)])]],
  ])('%s: everything refuses, nothing drops', (_, slices) => {
    const policies = { externalTrafficPolicy: 'Local', internalTrafficPolicy: 'Local' } as const;
    const found = compile(service({ ...exposed, ...policies }), slices);
    expect(show(found, CLUSTER_IP)).toEqual(['plain ->', FROM, 'masquerade_outside']);
    expect(show(found, EXTERNAL)).toEqual(['plain ->', FROM, 'FWM 4096 IPv4 ->', 'inside_view']);
  });

  it('without a detector the ClusterIP masquerades nobody', () => {
    const found = compile(service(exposed), [slice([L])], {
      context: context({ detectsLocal: { IPv4: false, IPv6: false } }),
    });
    expect(show(found, CLUSTER_IP)).toEqual(['plain -> 10.1.0.1', FROM]);
    expect(show(found, EXTERNAL)).toContain('masquerade');
  });

  it.each([true, false])('masqueradeAll masquerades everybody on the ClusterIP, detector %j', (detectsLocal) => {
    const found = compile(service({ ...exposed, externalTrafficPolicy: 'Local' }), [slice([L])], {
      context: context({ masqueradeAll: true, detectsLocal: { IPv4: detectsLocal, IPv6: detectsLocal } }),
    });
    expect(show(found, CLUSTER_IP)).toEqual(['plain -> 10.1.0.1', FROM, 'masquerade']);
    expect(show(found, EXTERNAL)).not.toContain('masquerade');
  });
});

describe('a Service with more endpoints than one virtual server may have', () => {
  it('gets the first of them, and is told', () => {
    const many = Array.from({ length: 16_400 }, (_, index) => endpoint(`10.1.${index >> 8}.${index & 255}`));
    const { frontends, refusals } = compile(service(), [slice(many)]);
    const server = frontends[0]?.resources.find(({ kind }) => kind === 'virtual-server');
    expect(server?.kind === 'virtual-server' && server.value.destinations.length).toBe(16_384);
    expect(refusals).toEqual([
      {
        reason: 'too-many-endpoints',
        subject: 'default/web',
        found: '16400 IPv4 endpoints',
        expected: 'at most 16384',
      },
    ]);
  });
});

describe('frontends', () => {
  it('are the ClusterIP, external IPs, load-balancer IPs and the node port on every address that serves it', () => {
    const fact = service({
      type: 'LoadBalancer',
      externalIPs: ['198.51.100.1'],
      loadBalancerIPs: ['192.0.2.1'],
      ports: [servicePort({ nodePort: 30_080 })],
    });
    const where = context({ nodePortAddresses: ['192.168.0.1', '172.16.0.1', 'fd00:100::1'] });
    const found = compile(fact, [slice([L])], { context: where });
    expect(found.frontends.map((frontend) => frontend.key)).toEqual([
      CLUSTER_IP,
      'TCP 198.51.100.1:80',
      'TCP 192.0.2.1:80',
      'TCP 192.168.0.1:30080',
      'TCP 172.16.0.1:30080',
    ]);
  });

  it('bind no VIP where the address is the node’s own', () => {
    const found = compile(service({ loadBalancerIPs: ['192.168.0.1'] }), [slice([R])]);
    expect(show(found, 'TCP 192.168.0.1:80')).toEqual(['plain -> 10.1.0.2', 'masquerade']);
    expect(elements(found)).not.toContain('vips 192.168.0.1');
    expect(elements(found)).toContain('vips 10.96.0.1');
  });

  it('masquerade a pod of another node that reaches itself through a node port of ours under eTP=Local', () => {
    const hairpins = (policy: 'Cluster' | 'Local', rest: Partial<ServiceFact>): readonly string[] => {
      const fact = service({ ...exposed, externalTrafficPolicy: policy, ...rest });
      return elements(compile(fact, [slice([L, R])])).filter((key) => key.startsWith('hairpin'));
    };
    const withNodePort = { ports: [servicePort({ nodePort: 30_080 })] };
    expect(hairpins('Local', withNodePort)).toEqual(['hairpin 10.1.0.1', 'hairpin 10.1.0.2']);
    // Its own node answers for a VIP, and under policy Cluster everybody is masqueraded at a node port.
    expect(hairpins('Local', {})).toEqual(['hairpin 10.1.0.1']);
    expect(hairpins('Cluster', withNodePort)).toEqual(['hairpin 10.1.0.1']);
  });

  it('record what is sluice’s, and the hairpin of local endpoints', () => {
    const found = compile(service({ ...exposed, externalTrafficPolicy: 'Local' }), [slice([L, R])]);
    expect(elements(found)).toEqual([
      'fwmarks 4096 IPv4',
      'hairpin 10.1.0.1',
      `inside_view ${EXTERNAL}`,
      `masquerade_outside ${CLUSTER_IP}`,
      'vips 10.96.0.1',
      'vips 192.0.2.1',
      `virtual_servers ${CLUSTER_IP}`,
      `virtual_servers ${EXTERNAL}`,
    ]);
  });

  it.each([
    ['a load-balancer IP', { externalIPs: ['192.0.2.1'], loadBalancerIPs: ['192.0.2.1'] }, EXTERNAL, 'masquerade'],
    ['the ClusterIP', { externalIPs: ['10.96.0.1'] }, CLUSTER_IP, 'masquerade_outside'],
  ])('stand once when an external IP repeats %s', (_, fields, key, element) => {
    const found = compile(service(fields), [slice([L])]);
    expect(found.frontends.filter((frontend) => frontend.key === key)).toHaveLength(1);
    expect(show(found, key)).toEqual(['plain -> 10.1.0.1', FROM, element]);
  });

  it('of both families lead to endpoints of their own', () => {
    const fact = service({ clusterIPs: ['fd00:96::1', '10.96.0.1'], externalIPs: ['2001:db8::1', '192.0.2.1'] });
    const found = compile(fact, [slice([L, R]), slice([L6], { key: 'default/web-6', family: 'IPv6' })]);
    expect(show(found, 'TCP [fd00:96::1]:80')).toEqual([
      'plain -> [fd00::1]',
      'vip from fd00:100::1',
      'masquerade_outside',
    ]);
    expect(show(found, 'TCP [2001:db8::1]:80')).toEqual(['plain -> [fd00::1]', 'vip from fd00:100::1', 'masquerade']);
    expect(show(found, EXTERNAL)[0]).toBe('plain -> 10.1.0.1 10.1.0.2');
  });

  it('have none of a family in which the Service has no ClusterIP', () => {
    const found = compile(service({ externalIPs: ['2001:db8::1'], ports: [servicePort({ nodePort: 30_080 })] }), []);
    expect(found.frontends.map((frontend) => frontend.key)).toEqual([CLUSTER_IP, 'TCP 192.168.0.1:30080']);
  });

  it('go without a source where the node has no address of the family', () => {
    const where = context({ sources: { IPv4: '192.168.0.1', IPv6: undefined } });
    const found = compile(service({ clusterIPs: ['fd00:96::1'] }), [], { context: where });
    expect(show(found, 'TCP [fd00:96::1]:80')[1]).toBe('vip from nowhere');
  });

  it('of two protocols on one port stand apart', () => {
    const ports = [servicePort({ name: 'dns', protocol: 'UDP', port: 53 }), servicePort({ name: 'dns-tcp', port: 53 })];
    const both = slice([L], {
      ports: [
        { name: 'dns', protocol: 'UDP', port: 53 },
        { name: 'dns-tcp', protocol: 'TCP', port: 5353 },
      ],
    });
    const found = compile(service({ ports }), [both]);
    expect(show(found, 'UDP 10.96.0.1:53')[0]).toBe('plain -> 10.1.0.1:53');
    expect(show(found, 'TCP 10.96.0.1:53')[0]).toBe('plain -> 10.1.0.1:5353');
  });
});

describe('virtual servers', () => {
  function server(fact: ServiceFact, key = CLUSTER_IP, rest: Partial<CompileInput> = {}) {
    const resources = compile(fact, [slice([L, R])], rest).frontends.flatMap((frontend) => frontend.resources);
    const found = resources.find((resource) => resource.key === key);
    return found?.kind === 'virtual-server' ? found.value : undefined;
  }

  it('are rr without persistence unless told otherwise', () => {
    expect(server(service())?.server).toEqual({
      identity: { kind: 'address', protocol: 'TCP', address: '10.96.0.1', port: 80 },
      scheduler: 'rr',
      flags: 0,
      timeoutSeconds: 0,
      prefixLength: 32,
    });
  });

  it('persist per client with the affinity’s timeout, but for the inside view (S5)', () => {
    const fact = service({ ...exposed, externalTrafficPolicy: 'Local', affinityTimeoutSeconds: 10_800 });
    for (const key of [CLUSTER_IP, EXTERNAL]) {
      expect(server(fact, key)?.server).toMatchObject({ flags: 1, timeoutSeconds: 10_800, prefixLength: 32 });
    }
    expect(server(fact, 'FWM 4096 IPv4')?.server).toMatchObject({ scheduler: 'mh', flags: 8, timeoutSeconds: 0 });
    expect(
      server(service({ clusterIPs: ['fd00::5'], affinityTimeoutSeconds: 60 }), 'TCP [fd00::5]:80')?.server,
    ).toMatchObject({
      flags: 1,
      timeoutSeconds: 60,
      prefixLength: 128,
    });
  });

  it('take scheduler and flags from annotations, beside persistence (#75502)', () => {
    const annotations = { 'sluice.dev/scheduler': 'mh', 'sluice.dev/scheduler-flags': 'mh-port' };
    expect(server(service({ annotations, affinityTimeoutSeconds: 5 }))?.server).toMatchObject({
      scheduler: 'mh',
      flags: 0x11,
    });
  });

  it('name their Service and port', () => {
    expect(server(service())).toMatchObject({ service: 'default/web', origin: 'default/web', protocol: 'TCP' });
    const ports = [servicePort({ name: 'http' })];
    expect(server(service({ ports }))).toMatchObject({ origin: 'default/web:http' });
  });

  it('keep the scheduler of the last contribution when the annotation is unknown', () => {
    const last = compile(service({ annotations: { 'sluice.dev/scheduler': 'lc' } }), []);
    const fact = service({ annotations: { 'sluice.dev/scheduler': 'least' } });
    expect(server(fact, CLUSTER_IP, { last })?.server.scheduler).toBe('lc');
    expect(compile(fact, [], { last }).refusals.map(({ reason }) => reason)).toEqual(['scheduler-unknown']);
  });

  it('give every destination its slice’s weight and masquerade forwarding (18.4)', () => {
    const found = compile(service(), [slice([L], { weight: 0 })]).frontends[0]?.resources[0];
    expect(found?.kind === 'virtual-server' && found.value.destinations).toEqual([
      { address: '10.1.0.1', port: 8080, weight: 0, forwarding: 'masquerade' },
    ]);
  });
});

describe('annotations that change the spec', () => {
  it('service.local makes the external policy Local and the internal one Cluster', () => {
    const annotations = { 'kube-router.io/service.local': 'true' };
    const found = compile(service({ ...exposed, internalTrafficPolicy: 'Local', annotations }), [slice([L, R])]);
    expect(show(found, CLUSTER_IP)[0]).toBe('plain -> 10.1.0.1 10.1.0.2');
    expect(show(found, EXTERNAL)[0]).toBe('plain -> 10.1.0.1');
  });

  it('service.skiplbips leaves load-balancer IPs out, not external IPs', () => {
    const annotations = { 'kube-router.io/service.skiplbips': '' };
    const found = compile(service({ ...exposed, externalIPs: ['198.51.100.1'], annotations }), []);
    expect(found.frontends.map((frontend) => frontend.key)).toEqual([CLUSTER_IP, 'TCP 198.51.100.1:80']);
  });
});

describe('marks of inside views', () => {
  it('are asked for once per port and family, with the frontends that carry them', () => {
    const asked: unknown[] = [];
    const fact = service({
      ...exposed,
      externalTrafficPolicy: 'Local',
      clusterIPs: ['10.96.0.1', 'fd00:96::1'],
      ports: [servicePort({ name: 'http', nodePort: 30_080 }), servicePort({ name: 'https', port: 443 })],
    });
    compile(fact, [], {
      markOf: (set, view, frontends) => {
        asked.push([`${set} ${view}`, frontends]);
        return asked.length;
      },
    });
    expect(asked).toEqual([
      ['inside_view default/web:http TCP IPv4', [EXTERNAL, 'TCP 192.168.0.1:30080']],
      ['inside_view default/web:https TCP IPv4', ['TCP 192.0.2.1:443']],
      ['inside_view default/web:http TCP IPv6', ['TCP [fd00:100::1]:30080']],
    ]);
  });

  it('are not asked for without need', () => {
    const never = (): number => expect.unreachable('no mark is needed');
    compile(service({ externalTrafficPolicy: 'Local' }), [slice([L])], { markOf: never });
    const found = compile(service(exposed), [slice([L])], { markOf: never });
    expect(found.refusals).toEqual([]);
  });

  it('when exhausted leave the plain view and say so', () => {
    const fact = service({ ...exposed, externalTrafficPolicy: 'Local', healthCheckNodePort: 30_100 });
    const found = compile(fact, [slice([L, R])], { markOf: () => undefined });
    expect(show(found, EXTERNAL)).toEqual(['plain -> 10.1.0.1', FROM]);
    expect(found.refusals).toMatchObject([{ reason: 'fwmarks-exhausted', subject: 'default/web' }]);
  });
});
