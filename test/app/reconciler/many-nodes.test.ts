import { expect, it } from 'vitest';
import type { FactChange } from '../../../src/core/model/facts.ts';
import { context } from '../../support/context.ts';
import { node, service, servicePort } from '../../support/facts.ts';
import { fakePorts, reconcilerOn } from '../../support/node-ports.ts';

const pair = (index: number): string => `${index >> 8}.${index & 255}`;

function nodes(count: number): FactChange {
  const facts = Array.from({ length: count }, (_, index) => ({
    kind: 'Node' as const,
    fact: node({
      name: `node-${index}`,
      addresses: [`172.20.${pair(index)}`],
      allAddresses: [`172.20.${pair(index)}`],
      podCIDRs: [`10.${100 + (index >> 8)}.${index & 255}.0/24`],
    }),
  }));
  return { change: 'replace', kind: 'Node', facts };
}

/** Every tenth Service is reached from outside, every hundredth has a node port. */
function services(count: number): FactChange {
  const facts = Array.from({ length: count }, (_, index) => ({
    kind: 'Service' as const,
    fact: service({
      name: `web-${index}`,
      clusterIPs: [`10.96.${pair(index)}`],
      externalIPs: index % 10 === 0 ? [`198.51.${pair(index)}`] : [],
      ports: [servicePort({ nodePort: index % 100 === 0 ? 30_000 + index / 100 : 0 })],
    }),
  }));
  return { change: 'replace', kind: 'Service', facts };
}

function timed<T>(run: () => T): { readonly ms: number; readonly result: T } {
  const before = performance.now();
  const result = run();
  return { ms: performance.now() - before, result };
}

// The limits are ten times what an idle machine takes, and a tenth of what compiling everything takes.
it('with 5,000 Nodes and 2,000 Services a change costs what it touches', async () => {
  const reconciler = reconcilerOn(await fakePorts());
  reconciler.changes([services(2_000), nodes(5_000)]);
  reconciler.start();

  const list = timed(() => reconciler.changes([nodes(5_000)]));
  expect(list.result).toBeUndefined();
  expect(list.ms).toBeLessThan(500);

  const one = node({ name: 'node-new', allAddresses: ['198.51.0.10'], podCIDRs: ['10.99.0.0/24'] });
  const join = timed(() => reconciler.changes([{ change: 'set', kind: 'Node', fact: one }]));
  expect(join.result?.services).toEqual(['default/web-10']);
  expect(join.ms).toBeLessThan(50);

  const nodePortAddresses = ['192.168.0.1', 'fd00:100::1', '192.168.0.9'];
  const address = timed(() => reconciler.setContext(context({ nodePortAddresses })));
  expect(address.result?.services).toHaveLength(20);
  expect(address.ms).toBeLessThan(100);

  const nothing = timed(() => reconciler.setContext(context({ nodePortAddresses })));
  expect(nothing.result).toBeUndefined();
  expect(nothing.ms).toBeLessThan(10);
});
