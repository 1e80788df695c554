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

/** Of several runs the shortest, in milliseconds: a busy machine makes single ones long. */
function shortest(run: (round: number) => void): number {
  const times = [1, 2, 3, 4, 5].map((round) => {
    const before = performance.now();
    run(round);
    return performance.now() - before;
  });
  return Math.min(...times);
}

it('with 5,000 Nodes and 2,000 Services a change costs what it touches', async () => {
  const reconciler = reconcilerOn(await fakePorts());
  reconciler.changes([services(2_000), nodes(5_000)]);
  reconciler.start();
  const everything = shortest((round) => reconciler.setContext(context({ masqueradeAll: round % 2 === 1 })));

  const list = shortest(() => expect(reconciler.changes([nodes(5_000)])).toBeUndefined());
  const join = shortest((round) => {
    const fact = node({
      name: `new-${round}`,
      allAddresses: [`198.51.0.${round * 10}`],
      podCIDRs: [`10.99.${round}.0/24`],
    });
    const outcome = reconciler.changes([{ change: 'set', kind: 'Node', fact }]);
    expect(outcome?.services).toEqual([`default/web-${round * 10}`]);
  });
  const address = shortest((round) => {
    const nodePortAddresses = ['192.168.0.1', 'fd00:100::1', `192.168.0.${round + 1}`];
    const outcome = reconciler.setContext(context({ masqueradeAll: true, nodePortAddresses }));
    expect(outcome?.services ?? []).toHaveLength(20);
  });
  const nothing = shortest(() => expect(reconciler.setContext(reconciler.view.context)).toBeUndefined());

  expect(list, 'the whole list of Nodes again').toBeLessThan(everything / 2);
  expect(join, 'a Node with the address of a VIP').toBeLessThan(everything / 5);
  expect(address, 'an address for node ports').toBeLessThan(everything / 5);
  expect(nothing, 'the same context').toBeLessThan(everything / 50);
});
