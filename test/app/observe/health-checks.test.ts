import { afterEach, expect, it, vi } from 'vitest';
import type { ServiceFact } from '../../../src/core/model/facts.ts';
import { context } from '../../support/context.ts';
import { node, service, servicePort } from '../../support/facts.ts';
import { fakePorts, sets } from '../../support/node-ports.ts';
import { deliverLists, type ObservedLoop, observedLoop } from '../../support/observed-loop.ts';

let observed: ObservedLoop | undefined;
afterEach(() => observed?.stop());

function probed(healthCheckNodePort: number): ServiceFact {
  return service({ type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort });
}

function listening(): string {
  return /sockets\{state="listening"\} (\d+)/.exec(observed?.metrics.render() ?? '')?.[1] ?? '';
}

it('a health check that a broken pass took away is closed by the next audit', async () => {
  const ports = await fakePorts();
  observed = observedLoop(ports, { context: context({ healthCheckAddresses: ['127.0.0.77'] }) });
  deliverLists(observed.loop, { kind: 'Service', fact: probed(30_177) }, { kind: 'Node', fact: node() });
  await vi.waitFor(() => expect(listening()).toBe('1'));
  const broken = vi.spyOn(ports.filter, 'apply').mockImplementationOnce(() => {
    throw new Error('broken off');
  });
  observed.loop.changes(sets({ kind: 'Service', fact: service({ ports: [servicePort({ port: 81 })] }) }));
  expect(broken).toHaveBeenCalledOnce();
  await vi.waitFor(() => expect(listening()).toBe('0'), { timeout: 5_000 });
});
