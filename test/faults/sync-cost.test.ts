/** What a change costs (18.5 in `index.ts`), counted where sluice speaks to the kernel. */

import { describe, expect, it } from 'vitest';
import type { Reconciler } from '../../src/app/reconciler/reconciler.ts';
import type { PassOutcome } from '../../src/app/reconciler/state.ts';
import type { FactChange } from '../../src/core/model/facts.ts';
import { countOperations } from '../../src/core/plan.ts';
import type { KernelPorts } from '../../src/kernel/executor.ts';
import { endpoint, service, servicePort, slice } from '../support/facts.ts';
import { type FakePorts, fakePorts, reconcilerOn, sets, writes } from '../support/node-ports.ts';

interface Counts {
  /** Times that anything was read from the kernel. */
  reads: number;
  /** Times that operations were handed to an interface: netlink batches, each of many messages. */
  calls: number;
}

function counted(ports: FakePorts, counts: Counts): KernelPorts {
  const read =
    <Args extends readonly unknown[], Result>(call: (...args: Args) => Result) =>
    (...args: Args): Result => {
      counts.reads += 1;
      return call(...args);
    };
  const write =
    <Args extends readonly unknown[], Result>(call: (...args: Args) => Result) =>
    (...args: Args): Result => {
      counts.calls += 1;
      return call(...args);
    };
  const { ipvs, link, filter } = ports;
  return {
    ipvs: {
      ...ipvs,
      dump: read(() => ipvs.dump()),
      read: read((expected) => ipvs.read(expected)),
      dumpMarks: read(() => ipvs.dumpMarks()),
      dumpDestinations: read((identity) => ipvs.dumpDestinations(identity)),
      apply: write((operations) => ipvs.apply(operations)),
    },
    link: {
      ...link,
      dumpVips: read(() => link.dumpVips()),
      readVips: read((expected) => link.readVips(expected)),
      nodeAddresses: read(() => link.nodeAddresses()),
      readNodeAddresses: read(() => link.readNodeAddresses()),
      apply: write((operations) => link.apply(operations)),
    },
    filter: {
      ...filter,
      dump: read((names) => filter.dump(names)),
      read: read((expected) => filter.read(expected)),
      apply: write((operations) => filter.apply(operations)),
    },
  };
}

function objects(number: number, endpoints: readonly string[]): readonly FactChange[] {
  const name = `service-${number}`;
  const key = `default/${name}`;
  return sets(
    {
      kind: 'Service',
      fact: service({
        name,
        clusterIPs: [`10.96.${number >> 8}.${number & 255}`],
        loadBalancerIPs: [`198.18.${number >> 8}.${number & 255}`],
        ports: [servicePort({ nodePort: 30_000 + number })],
      }),
    },
    {
      kind: 'EndpointSlice',
      fact: slice(
        endpoints.map((address) => endpoint(address)),
        { key: `${key}-1`, service: key },
      ),
    },
  );
}

const two = ['10.1.1.1', '10.1.1.2'];

async function nodeWith(services: number) {
  const ports = await fakePorts();
  const counts: Counts = { reads: 0, calls: 0 };
  const reconciler = reconcilerOn(counted(ports, counts));
  reconciler.changes(Array.from({ length: services }, (_, index) => objects(index, two)).flat());
  reconciler.start();
  return { ports, counts, reconciler };
}

/** What one pass costs. */
function costOf(
  { ports, counts, reconciler }: { ports: FakePorts; counts: Counts; reconciler: Reconciler },
  pass: (reconciler: Reconciler) => PassOutcome | undefined,
) {
  const before = { ...counts, writes: writes(ports) };
  const outcome = pass(reconciler);
  return {
    planned: outcome === undefined ? 0 : countOperations(outcome.plan),
    reads: counts.reads - before.reads,
    calls: counts.calls - before.calls,
    writes: writes(ports) - before.writes,
  };
}

describe.each([1, 10, 1_000])('18.5: on a node with %i Services', (services) => {
  it('a change of endpoints reads nothing and writes one destination for each frontend', async () => {
    const node = await nodeWith(services);
    const cost = costOf(node, (reconciler) => reconciler.changes(objects(0, [...two, '10.1.1.3'])));
    // ClusterIP, load-balancer IP, node port.
    expect(cost).toEqual({ planned: 3, reads: 0, calls: 1, writes: 3 });
  });

  it('a new Service costs a fixed number of calls and writes, and a deleted one too', async () => {
    const node = await nodeWith(services);
    // Per frontend: virtual server, two destinations, record, masquerade. Per VIP: address, element.
    const made = costOf(node, (reconciler) => reconciler.changes(objects(5_000, two)));
    expect(made).toEqual({ planned: 19, reads: 0, calls: 4, writes: 19 });
    const gone = costOf(node, (reconciler) =>
      reconciler.changes([{ change: 'delete', kind: 'Service', key: 'default/service-5000' }]),
    );
    // Destinations go with their virtual server. Each of these is asked once for connections.
    expect(gone).toEqual({ planned: 13, reads: 3, calls: 4, writes: 13 });
  });

  it('nothing new costs nothing', async () => {
    const node = await nodeWith(services);
    expect(costOf(node, (reconciler) => reconciler.changes(objects(0, two)))).toEqual({
      planned: 0,
      reads: 0,
      calls: 0,
      writes: 0,
    });
  });

  it('an audit reads each table once and writes nothing where nothing differs', async () => {
    const node = await nodeWith(services);
    expect(costOf(node, (reconciler) => reconciler.audit())).toEqual({ planned: 0, reads: 3, calls: 0, writes: 0 });
  });

  it('the start takes a call for each phase, or for hundreds of operations and fifty VIPs (#133773, #88212)', async () => {
    const { counts } = await nodeWith(services);
    const expected = { 1: 4, 10: 4, 1_000: 69 }[services];
    expect(counts).toEqual({ reads: 3, calls: expected });
  });
});
