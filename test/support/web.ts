/** The Service `default/web` on a node in memory. */

import { expect } from 'vitest';
import type { Reconciler } from '../../src/app/reconciler/reconciler.ts';
import { adoptReading } from '../../src/core/actual.ts';
import type { EndpointFact, FactChange } from '../../src/core/model/facts.ts';
import { countOperations } from '../../src/core/plan.ts';
import { renderActual, renderDesired } from '../../src/core/render.ts';
import { endpoint, service, slice } from './facts.ts';
import { type FakePorts, reconcilerOn, writes } from './node-ports.ts';

export const webKey = 'TCP 10.96.0.1:80';
export const webIdentity = { kind: 'address', protocol: 'TCP', address: '10.96.0.1', port: 80 } as const;
export const one = endpoint('10.1.1.1');
export const two = endpoint('10.1.1.2');

export function web(fields: Parameters<typeof service>[0] = {}): FactChange {
  return { change: 'set', kind: 'Service', fact: service(fields) };
}

export function endpoints(...list: readonly EndpointFact[]): FactChange {
  return { change: 'set', kind: 'EndpointSlice', fact: slice(list) };
}

export function gone(name = 'web'): FactChange {
  return { change: 'delete', kind: 'Service', key: `default/${name}` };
}

export function started(ports: FakePorts, ...batch: readonly FactChange[]): Reconciler {
  const reconciler = reconcilerOn(ports);
  reconciler.changes(batch);
  reconciler.start();
  return reconciler;
}

/** Weights by address and port, for the virtual server of the ClusterIP. */
export function weights(ports: FakePorts): Readonly<Record<string, number>> {
  const list = ports.ipvs.dumpDestinations(webIdentity);
  return Object.fromEntries(list.map((to) => [`${to.address}:${to.port}`, to.weight]));
}

export function expectSettled(reconciler: Reconciler, ports: FakePorts): void {
  const { ipvs, link, filter } = ports;
  const actual = adoptReading({ virtualServers: ipvs.dump(), vips: link.dumpVips(), elements: filter.dump() ?? [] });
  expect(renderActual(actual, reconciler.view.desired)).toBe(renderDesired(reconciler.view.desired));
  const before = writes(ports);
  expect(countOperations(reconciler.audit().plan)).toBe(0);
  expect(writes(ports)).toBe(before);
}
