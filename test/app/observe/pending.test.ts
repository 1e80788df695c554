import { expect, it, vi } from 'vitest';
import type { FactChange } from '../../../src/core/model/facts.ts';
import { node, service, slice } from '../../support/facts.ts';
import { fakePorts, sets } from '../../support/node-ports.ts';
import { observedLoop } from '../../support/observed-loop.ts';
import { one, two, webIdentity } from '../../support/web.ts';

it('a change that waits for an audit to mend something is pending until it is in force', async () => {
  const ports = await fakePorts();
  const { loop, reconciler, metrics, stop } = observedLoop(ports, { auditPeriodMs: 20 });
  const pending = () => /^kubeproxy_sync_proxy_rules_endpoint_changes_pending (\d+)/m.exec(metrics.render())?.[1];
  loop.changes([
    list({ kind: 'Service', fact: service() }),
    list({ kind: 'EndpointSlice', fact: slice([one]) }),
    list({ kind: 'Node', fact: node() }),
    { change: 'replace', kind: 'ServiceCIDR', facts: [] },
  ]);
  await vi.waitUntil(() => reconciler.view.isStarted && pending() === '0');
  const apply = ports.ipvs.apply.bind(ports.ipvs);
  apply([{ kind: 'remove-virtual-server', identity: webIdentity }]);
  const found: (string | undefined)[] = [];
  vi.spyOn(ports.ipvs, 'apply').mockImplementationOnce((operations) => {
    loop.changes(sets({ kind: 'EndpointSlice', fact: slice([one, two]) }));
    found.push(pending());
    return apply(operations);
  });
  await vi.waitUntil(() => ports.ipvs.dumpDestinations(webIdentity).length === 2);
  expect([...found, pending()]).toEqual(['1', '0']);
  await stop();
});

function list(object: Extract<FactChange, { readonly change: 'replace' }>['facts'][number]): FactChange {
  return { change: 'replace', kind: object.kind, facts: [object] };
}
