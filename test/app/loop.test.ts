import { describe, expect, it } from 'vitest';
import { type Loop, startLoop } from '../../src/app/loop.ts';
import type { LoopObserver } from '../../src/app/loop-input.ts';
import type { PassOutcome } from '../../src/app/reconciler/state.ts';
import type { FactChange, ObjectFact } from '../../src/core/model/facts.ts';
import { context } from '../support/context.ts';
import { node, service, servicePort, slice } from '../support/facts.ts';
import { completeLists, type FakePorts, fakePorts, reconcilerOn, skeleton } from '../support/node-ports.ts';
import { destination, virtualServer } from '../support/servers.ts';
import { one } from '../support/web.ts';

/** A loop that has begun on these objects, with everything that its observer was told. */
async function begun(ports: FakePorts, objects: readonly ObjectFact[]) {
  const passes: PassOutcome[] = [];
  const unclaimed: string[] = [];
  let loop: Loop | undefined;
  await new Promise<void>((resolve, reject) => {
    const observer: LoopObserver = {
      started: () => {},
      received: () => {},
      taken: () => {},
      passed: (outcome) => {
        passes.push(outcome);
        resolve();
      },
      troubled: (what, error) => reject(new Error(what, { cause: error })),
      leftAlone: (servers) => unclaimed.push(...servers),
    };
    loop = startLoop({
      reconciler: reconcilerOn(ports),
      ports,
      skeleton,
      contextOf: () => context(),
      observer,
      auditPeriodMs: 60_000,
    });
    loop.changes(lists(objects));
  });
  return { passes, unclaimed, loop };
}

function lists(objects: readonly ObjectFact[]): readonly FactChange[] {
  const all: readonly ObjectFact[] = [...objects, { kind: 'Node', fact: node() }];
  return completeLists(all);
}

const slices: ObjectFact = { kind: 'EndpointSlice', fact: slice([one]) };

describe('the loop', () => {
  it('tells of a pass that another one gave cause for', async () => {
    const ports = await fakePorts({ schedulers: ['rr'] });
    const fact = service({ annotations: { 'sluice.dev/scheduler': 'sed' } });
    const { passes, loop } = await begun(ports, [{ kind: 'Service', fact }, slices]);
    expect(passes.map(({ trigger, services }) => [trigger, [...services]])).toEqual([
      ['start', ['default/web']],
      ['retry', ['default/web']],
    ]);
    loop?.stop();
  });
});

describe('an agent that starts after somebody flushed the ruleset', () => {
  const web: ObjectFact = { kind: 'Service', fact: service() };
  const other: ObjectFact = { kind: 'Service', fact: service({ name: 'other', clusterIPs: ['10.96.0.2'] }) };

  async function flushedAfter(...before: readonly ObjectFact[]): Promise<FakePorts> {
    const ports = await fakePorts();
    const { loop } = await begun(ports, [...before, slices]);
    loop?.stop();
    ports.filter.flushRuleset();
    return ports;
  }

  function servers(ports: FakePorts): readonly string[] {
    return ports.ipvs.dump().map(({ server: { identity } }) => ('address' in identity ? identity.address : 'mark'));
  }

  it('takes for its own what its Services want', async () => {
    const ports = await flushedAfter(web);
    const { passes, unclaimed, loop } = await begun(ports, [web, slices]);
    expect(passes.flatMap(({ execution }) => [...execution.performed].map(({ kind }) => kind))).not.toContain(
      'add-virtual-server',
    );
    expect(unclaimed).toEqual([]);
    expect(ports.filter.dump()).toContainEqual(expect.objectContaining({ set: 'virtual_servers', port: 80 }));
    loop?.stop();
  });

  it('removes what is on a VIP of its own that no Service has any more', async () => {
    const ports = await flushedAfter(web, other);
    const { loop } = await begun(ports, [web, slices]);
    expect(servers(ports)).toEqual(['10.96.0.1']);
    loop?.stop();
  });

  it('leaves a virtual server of somebody else on one of its VIPs alone, and says so', async () => {
    const ports = await flushedAfter(web);
    const identity = { kind: 'address', protocol: 'TCP', address: '10.96.0.1', port: 9443 } as const;
    ports.ipvs.apply([
      { kind: 'add-virtual-server', server: virtualServer('TCP', { identity }) },
      { kind: 'add-destination', identity, destination: destination('10.9.9.9') },
    ]);
    const { unclaimed, loop } = await begun(ports, [web, slices]);
    expect(unclaimed).toEqual(['TCP 10.96.0.1:9443']);
    loop?.changes(lists([{ kind: 'Service', fact: service({ ports: [servicePort({ port: 81 })] }) }, slices]));
    expect(ports.ipvs.dump().map(({ server }) => server.identity)).toContainEqual(identity);
    loop?.stop();
  });
});
