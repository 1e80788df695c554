import { describe, expect, it } from 'vitest';
import { emptyAddresses } from '../../src/core/address-index.ts';
import { compileService } from '../../src/core/compile.ts';
import { emptyDesired, refusalsOf, setContribution } from '../../src/core/desired.ts';
import type { CompileContext } from '../../src/core/model/context.ts';
import type { EndpointSliceFact, ServiceFact } from '../../src/core/model/facts.ts';
import type { HealthCheck } from '../../src/core/model/health-check.ts';
import type { Contribution } from '../../src/core/model/resource.ts';
import { cidrs, context, nodeAddresses } from '../support/context.ts';
import { endpoint, localEndpoint, notReady, service, slice, terminating } from '../support/facts.ts';

const dual = {
  type: 'LoadBalancer',
  externalTrafficPolicy: 'Local',
  healthCheckNodePort: 30_100,
  clusterIPs: ['10.96.0.1', 'fd00:96::1'],
} as const;

function compile(
  fact: ServiceFact,
  slices: readonly EndpointSliceFact[] = [],
  fields: Partial<CompileContext> = {},
): Contribution {
  return compileService({
    service: fact,
    slices,
    context: context(fields),
    addresses: emptyAddresses(),
    last: undefined,
    markOf: () => 1,
  });
}

function checkOf(contribution: Contribution): HealthCheck | undefined {
  const resources = contribution.frontends.flatMap((frontend) => frontend.resources);
  return resources.flatMap((each) => (each.kind === 'health-check' ? [each.value] : []))[0];
}

function counts(slices: readonly EndpointSliceFact[]): readonly string[] {
  const listeners = checkOf(compile(service(dual), slices))?.listeners ?? [];
  return listeners.map(({ address, localEndpoints }) => `${address} ${localEndpoints}`);
}

describe('a load balancer with externalTrafficPolicy Local', () => {
  it('has a server on its health-check port in each family, told of its Service', () => {
    expect(checkOf(compile(service(dual)))).toEqual({
      port: 30_100,
      namespace: 'default',
      name: 'web',
      listeners: [
        { address: '0.0.0.0', family: 'IPv4', localEndpoints: 0 },
        { address: '::', family: 'IPv6', localEndpoints: 0 },
      ],
    });
  });

  it('has none in a family in which it has no ClusterIP', () => {
    const single = compile(service({ ...dual, clusterIPs: ['10.96.0.1'] }));
    expect(checkOf(single)?.listeners.map(({ family }) => family)).toEqual(['IPv4']);
  });

  it('counts the distinct addresses of ready endpoints on this node, each family by itself', () => {
    const two = slice([localEndpoint('10.1.0.1'), localEndpoint('10.1.0.2'), endpoint('10.1.0.3')]);
    const again = slice([localEndpoint('10.1.0.1')], {
      key: 'default/web-2',
      ports: [{ name: 'other', protocol: 'TCP', port: 9 }],
    });
    const six = slice([localEndpoint('fd00::1')], { key: 'default/web-6', family: 'IPv6' });
    expect(counts([two, again, six])).toEqual(['0.0.0.0 2', ':: 1']);
  });

  it('counts neither terminating endpoints, though they still serve, nor such as are not ready', () => {
    expect(counts([slice([localEndpoint('10.1.0.1', terminating), localEndpoint('10.1.0.2', notReady)])])).toEqual([
      '0.0.0.0 0',
      ':: 0',
    ]);
  });

  it('listens where node ports are served when these are restricted', () => {
    const healthCheckAddresses = ['127.0.0.1', '192.168.0.1'];
    const { listeners = [] } = checkOf(compile(service(dual), [], { healthCheckAddresses })) ?? {};
    expect(listeners.map(({ address }) => address)).toEqual(healthCheckAddresses);
  });

  it('is told when it has no port, and when the agent listens there itself', () => {
    expect(compile(service({ ...dual, healthCheckNodePort: 0 })).refusals).toMatchObject([
      { reason: 'health-check-port-missing', subject: 'spec.healthCheckNodePort', found: 'none' },
    ]);
    const reserved = compile(service({ ...dual, healthCheckNodePort: 10_256 }));
    expect(reserved.refusals).toMatchObject([
      { reason: 'health-check-port-reserved', found: '10256, the health server' },
    ]);
    expect(checkOf(reserved)).toBeUndefined();
  });

  it('lets probes through to its port on a VIP, and needs not to on an address of the node', () => {
    const vips = { ...dual, loadBalancerIPs: ['192.0.2.1', nodeAddresses[0]] };
    const keys = compile(service(vips)).frontends.flatMap(({ resources }) => resources.map(({ key }) => key));
    expect(keys.filter((key) => key.startsWith('health_check'))).toEqual(['health_check TCP 192.0.2.1:30100']);
  });

  it('lets no probes through on an address that the Service may not have', () => {
    const fact = service({ ...dual, loadBalancerIPs: ['10.96.0.9'] });
    const range = { serviceCIDRs: cidrs('10.96.0.0/12') };
    const { frontends, refusals } = compile(fact, [], range);
    expect(refusals.map(({ reason }) => reason)).toEqual(['address-in-service-range']);
    const keys = frontends.flatMap(({ resources }) => resources.map(({ key }) => key));
    expect(keys.filter((key) => key.startsWith('health_check'))).toEqual([]);
  });
});

describe('no health check', () => {
  it.each([
    ['a ClusterIP Service', { ...dual, type: 'ClusterIP' }],
    ['a NodePort Service', { ...dual, type: 'NodePort' }],
    ['policy Cluster', { ...dual, externalTrafficPolicy: 'Cluster' }],
  ] as const)('has %s', (_, fields) => {
    const found = compile(service(fields));
    expect([checkOf(found), found.refusals]).toEqual([undefined, []]);
  });

  it('is asked for by an annotation that forces policy Local: the API server gave no port for it', () => {
    const annotations = { 'kube-router.io/service.local': 'true' };
    const fields = { ...dual, externalTrafficPolicy: 'Cluster', healthCheckNodePort: 0, annotations } as const;
    expect(compile(service(fields)).refusals).toEqual([]);
  });
});

describe('two Services on one health-check port', () => {
  const older = compile(service({ ...dual, name: 'older', createdAt: 1 }));
  const younger = compile(service({ ...dual, name: 'younger', createdAt: 2 }));

  it('the older one has it, the other is told, and gets it when the older one goes', () => {
    const desired = emptyDesired();
    setContribution(desired, 'default/younger', younger);
    setContribution(desired, 'default/older', older);
    const holder = (): unknown => {
      const held = desired.resources.get('health-check 30100');
      return held?.kind === 'health-check' && held.value.name;
    };
    expect(holder()).toBe('older');
    expect(refusalsOf(desired, 'default/younger')).toContainEqual(
      expect.objectContaining({
        reason: 'frontend-claimed-by-older-service',
        subject: 'health-check 30100',
        found: 'default/older',
      }),
    );
    expect([...setContribution(desired, 'default/older', undefined)]).toContain('health-check 30100');
    expect(holder()).toBe('younger');
  });
});
