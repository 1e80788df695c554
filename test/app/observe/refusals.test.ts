import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { node, service } from '../../support/facts.ts';
import { fakePorts, sets } from '../../support/node-ports.ts';
import { deliverLists, type ObservedLoop, observedLoop } from '../../support/observed-loop.ts';

let observed: ObservedLoop;

beforeEach(async () => {
  observed = observedLoop(await fakePorts());
  deliverLists(observed.loop, { kind: 'Node', fact: node() });
  await vi.waitUntil(() => observed.reconciler.view.isStarted);
});

afterEach(() => observed.stop());

function refused(reason: string): string {
  return new RegExp(`^sluice_refusals\\{reason="${reason}"\\} (\\S+)$`, 'm').exec(observed.metrics.render())?.[1] ?? '';
}

it('a Service is refused a frontend as long as an older one has it, whichever of them changes', () => {
  const claims = (name: string, createdAt: number) =>
    ({ kind: 'Service', fact: service({ name, createdAt, clusterIPs: ['10.96.0.7'] }) }) as const;
  observed.loop.changes(sets(claims('younger', 2)));
  observed.loop.changes(sets(claims('older', 1)));
  expect(refused('frontend-claimed-by-older-service')).toBe('1');
  observed.loop.changes([{ change: 'delete', kind: 'Service', key: 'default/older' }]);
  expect(refused('frontend-claimed-by-older-service')).toBe('0');
});

it('what was refused of a Service counts no more when the Service is gone', () => {
  const fact = service({ annotations: { 'sluice.dev/scheduler': 'best' } });
  observed.loop.changes(sets({ kind: 'Service', fact }));
  expect(refused('scheduler-unknown')).toBe('1');
  observed.loop.changes([{ change: 'delete', kind: 'Service', key: fact.key }]);
  expect(refused('scheduler-unknown')).toBe('0');
});
