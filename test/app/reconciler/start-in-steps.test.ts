import { describe, expect, it, vi } from 'vitest';
import { virtualServerKey } from '../../../src/core/keys.ts';
import type { FactChange } from '../../../src/core/model/facts.ts';
import { finish } from '../../../src/core/steps.ts';
import { endpoint, node, service, slice } from '../../support/facts.ts';
import { type FakePorts, fakePorts, reconcilerOn, sets, writes } from '../../support/node-ports.ts';
import { expectSettled } from '../../support/web.ts';

const services = 1_500;
const addresses = ['10.1.1.1', '10.1.1.2', '10.1.1.3'];

function named(number: number, endpoints = addresses): readonly FactChange[] {
  const name = `service-${number}`;
  const clusterIPs = [`10.96.${number >> 8}.${number & 255}`];
  const key = `default/${name}`;
  return sets(
    { kind: 'Service', fact: service({ name, clusterIPs }) },
    {
      kind: 'EndpointSlice',
      fact: slice(
        endpoints.map((address) => endpoint(address)),
        { key: `${key}-1`, service: key },
      ),
    },
  );
}

async function nodeBefore(): Promise<{ ports: FakePorts; reconciler: ReturnType<typeof reconcilerOn> }> {
  const ports = await fakePorts();
  const reconciler = reconcilerOn(ports);
  reconciler.changes(Array.from({ length: services }, (_, number) => named(number)).flat());
  return { ports, reconciler };
}

function destinations(ports: FakePorts, number: number): readonly string[] | undefined {
  const address = `10.96.${number >> 8}.${number & 255}`;
  const key = virtualServerKey({ kind: 'address', protocol: 'TCP', address, port: 80 });
  const there = ports.ipvs.dump().find(({ server }) => virtualServerKey(server.identity) === key);
  return there?.destinations.filter(({ weight }) => weight > 0).map((each) => each.address);
}

describe('a start in steps', () => {
  it('ends as one at once does', async () => {
    const { ports, reconciler } = await nodeBefore();
    const outcome = finish(reconciler.startInSteps());
    expect(outcome.trigger).toBe('start');
    expect(outcome.services).toHaveLength(services);
    expectSettled(reconciler, ports);
  });

  it('is no step longer than a few thousand operations', async () => {
    const { ports, reconciler } = await nodeBefore();
    const steps = reconciler.startInSteps();
    const written: number[] = [];
    for (let before = writes(ports); steps.next().done !== true; before = writes(ports)) {
      written.push(writes(ports) - before);
    }
    expect(written.length).toBeGreaterThan(50);
    expect(Math.max(...written)).toBeLessThanOrEqual(4_000);
  });

  it('sorts the Services in steps before the first is compiled', async () => {
    const { reconciler } = await nodeBefore();
    const steps = reconciler.startInSteps();
    let count = 0;
    for (; reconciler.view.desired.contributions.size === 0; count += 1) {
      expect(steps.next().done).toBe(false);
    }
    // 512 at a time, and the three parts brought together.
    expect(count).toBeGreaterThanOrEqual(6);
  });

  it('carries out afterwards what changed between any two steps', async () => {
    const { ports, reconciler } = await nodeBefore();
    const steps = reconciler.startInSteps();
    let number = 0;
    while (steps.next().done !== true) {
      const changes = [...named(number, ['10.1.1.9']), ...named(services + number)];
      expect(reconciler.changes(changes)).toBeUndefined();
      number += 1;
    }
    reconciler.changes([{ change: 'delete', kind: 'Service', key: 'default/service-1499' }]);
    for (const changed of [0, number >> 1, number - 1]) {
      expect(destinations(ports, changed)).toEqual(['10.1.1.9']);
      expect(destinations(ports, services + changed)).toEqual(addresses.toReversed());
    }
    expect(destinations(ports, 1_499)).toBeUndefined();
    expectSettled(reconciler, ports);
  });

  it('keeps changes too when it is not the first', async () => {
    const { ports, reconciler } = await nodeBefore();
    reconciler.start();
    const steps = reconciler.startInSteps();
    steps.next();
    expect(reconciler.changes(named(0, ['10.1.1.9']))).toBeUndefined();
    finish(steps);
    reconciler.changes([]);
    expect(destinations(ports, 0)).toEqual(['10.1.1.9']);
    expectSettled(reconciler, ports);
  });

  it('carries nothing out twice', async () => {
    const { ports, reconciler } = await nodeBefore();
    const steps = reconciler.startInSteps();
    steps.next();
    reconciler.changes(named(0, ['10.1.1.9']));
    finish(steps);
    expect(reconciler.changes([])?.services).toEqual(['default/service-0']);
    expect(reconciler.changes([])).toBeUndefined();
    expect(destinations(ports, 0)).toEqual(['10.1.1.9']);
  });

  it('lets Services go in steps that went after a start had failed', async () => {
    const { ports, reconciler } = await nodeBefore();
    vi.spyOn(ports.link, 'readVips').mockImplementationOnce(() => {
      throw new Error('not now');
    });
    expect(() => reconciler.start()).toThrow('not now');
    const kept = 100;
    const gone = Array.from({ length: services - kept }, (_, number) => `default/service-${kept + number}`);
    reconciler.changes(gone.map((key) => ({ change: 'delete', kind: 'Service', key })));
    const { contributions } = reconciler.view.desired;
    const steps = reconciler.startInSteps();
    const left: number[] = [];
    for (let before = contributions.size; steps.next().done !== true; before = contributions.size) {
      left.push(before - contributions.size);
    }
    expect(contributions.size).toBe(kept);
    expect(Math.max(...left)).toBeLessThanOrEqual(8);
    expectSettled(reconciler, ports);
  });

  it('looks through no Services for addresses that become known before it', async () => {
    const { reconciler } = await nodeBefore();
    const values = vi.spyOn(reconciler.view.facts.services, 'values');
    const another = (address: string): readonly FactChange[] =>
      sets({ kind: 'Node', fact: node({ name: 'another', addresses: [address], allAddresses: [address] }) });
    reconciler.changes(another('192.0.2.77'));
    expect(values).not.toHaveBeenCalled();
    reconciler.start();
    values.mockClear();
    reconciler.changes(another('192.0.2.78'));
    expect(values).toHaveBeenCalled();
  });
});
