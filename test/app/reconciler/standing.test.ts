import { describe, expect, it } from 'vitest';
import { compileAll } from '../../../src/core/compile-all.ts';
import { filterElementKey } from '../../../src/core/keys.ts';
import type { CompileContext } from '../../../src/core/model/context.ts';
import { countOperations } from '../../../src/core/plan.ts';
import { cidrs, context } from '../../support/context.ts';
import { endpoint, service, slice } from '../../support/facts.ts';
import { type FakePorts, fakePorts, fwmarkMask, reconcilerOn, sets } from '../../support/node-ports.ts';
import { lineOf } from '../../support/scripted-ports.ts';

const detecting = context({ podSources: cidrs('10.1.0.0/24'), serviceCIDRs: cidrs('10.96.0.0/12', '10.97.0.0/16') });
const blind = context({ detectsLocal: { IPv4: false, IPv6: false } });

async function started(at: CompileContext): Promise<{
  readonly ports: FakePorts;
  readonly reconciler: ReturnType<typeof reconcilerOn>;
}> {
  const ports = await fakePorts();
  const reconciler = reconcilerOn(ports);
  reconciler.changes(
    sets({ kind: 'Service', fact: service() }, { kind: 'EndpointSlice', fact: slice([endpoint('10.1.0.1')]) }),
  );
  reconciler.setContext(at);
  reconciler.start();
  return { ports, reconciler };
}

function standing(ports: FakePorts): readonly string[] {
  const keys = (ports.filter.dump() ?? []).map(filterElementKey);
  return keys.filter((key) => /^(pod_sources|service_ranges) /.test(key));
}

describe('what the filter holds for no Service in particular', () => {
  it('is there from the first pass, without ranges that lie in another', async () => {
    const { ports, reconciler } = await started(detecting);
    expect(standing(ports)).toEqual(['pod_sources 10.1.0.0/24', 'service_ranges 10.96.0.0/12']);
    expect(countOperations(reconciler.audit().plan)).toBe(0);
  });

  it('follows the context: what replaces a range comes in the transaction that takes it away', async () => {
    const { ports, reconciler } = await started(detecting);
    const outcome = reconciler.setContext(
      context({ podSources: cidrs('10.1.0.0/16'), serviceCIDRs: cidrs('10.96.0.0/12') }),
    );
    expect(outcome?.services).toEqual([]);
    expect([...(outcome?.plan.claim ?? [])].map(lineOf)).toEqual([
      'add-element pod_sources 10.1.0.0/16',
      'remove-element pod_sources 10.1.0.0/24',
    ]);
    expect(standing(ports)).toEqual(['pod_sources 10.1.0.0/16', 'service_ranges 10.96.0.0/12']);
    expect(reconciler.setContext(reconciler.view.context)).toBeUndefined();
  });

  it('stands before a ClusterIP tells pods from others', async () => {
    const { ports, reconciler } = await started(blind);
    expect(ports.filter.dump()?.some(({ set }) => set === 'masquerade_outside')).toBe(false);
    const outcome = reconciler.setContext(context({ podSources: cidrs('10.1.0.0/24') }));
    expect([...(outcome?.plan.claim ?? [])].map(lineOf)).toEqual([
      'add-element pod_sources 10.1.0.0/24',
      'add-element masquerade_outside TCP 10.96.0.1:80',
    ]);
  });

  it('outlives every Service, and comes back after a flush', async () => {
    const { ports, reconciler } = await started(detecting);
    reconciler.changes([{ change: 'replace', kind: 'Service', facts: [] }]);
    expect(standing(ports)).toHaveLength(2);
    const [element] = ports.filter.dump() ?? [];
    ports.filter.apply(element === undefined ? [] : [{ kind: 'remove-element', element }]);
    expect(standing(ports)).toHaveLength(1);
    reconciler.audit();
    expect(standing(ports)).toHaveLength(2);
  });

  it('is part of what a preview compiles', async () => {
    const { reconciler } = await started(detecting);
    const { facts, actual } = reconciler.view;
    const desired = compileAll({ facts, context: detecting, fwmarkMask }, actual);
    expect([...desired.resources.keys()].filter((key) => key.startsWith('service_ranges'))).toEqual([
      'service_ranges 10.96.0.0/12',
    ]);
  });
});
