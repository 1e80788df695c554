import { describe, expect, it } from 'vitest';
import { emptyAddresses } from '../../src/core/address-index.ts';
import { compileService } from '../../src/core/compile.ts';
import type { EndpointFact, ServiceFact } from '../../src/core/model/facts.ts';
import { context } from '../support/context.ts';
import { endpoint, localEndpoint, notReady, service, servicePort, slice } from '../support/facts.ts';

const remote = endpoint('10.1.0.2');
const open = { ports: [servicePort({ nodePort: 30_080 })], type: 'NodePort' } as const;

function gaps(fact: ServiceFact, ...endpoints: readonly EndpointFact[]): readonly string[] {
  const slices = [slice(endpoints)];
  const input = { service: fact, slices, context: context(), addresses: emptyAddresses(), last: undefined };
  return compileService({ ...input, markOf: () => 1 }).localGaps.map(({ policy, family }) => `${policy} ${family}`);
}

describe('a Local policy without an endpoint on this node', () => {
  it('is told for each policy, once for the Service, in the family that has endpoints', () => {
    const both = { internalTrafficPolicy: 'Local', externalTrafficPolicy: 'Local' } as const;
    const ports = [servicePort({ nodePort: 30_080 }), servicePort({ port: 81, nodePort: 30_081 })];
    const dual = service({ ...open, ...both, ports, clusterIPs: ['10.96.0.1', 'fd00:96::1'] });
    expect(gaps(dual, remote)).toEqual(['internal IPv4', 'external IPv4']);
  });

  it.each([
    ['policy Cluster', service(open), [remote]],
    ['an endpoint here', service({ ...open, externalTrafficPolicy: 'Local' }), [remote, localEndpoint('10.1.0.1')]],
    ['no endpoint anywhere', service({ ...open, externalTrafficPolicy: 'Local' }), [endpoint('10.1.0.2', notReady)]],
    ['nothing that leads in from outside', service({ externalTrafficPolicy: 'Local' }), [remote]],
  ])('is not told with %s', (_, fact, endpoints) => {
    expect(gaps(fact, ...endpoints)).toEqual([]);
  });
});
