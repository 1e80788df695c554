/** A node in memory: the three fakes, ready for a reconciler. */

import { createReconciler, type Reconciler } from '../../src/app/reconciler/reconciler.ts';
import { type CompileContext } from '../../src/core/model/context.ts';
import { type FactChange, type ObjectFact, objectKinds } from '../../src/core/model/facts.ts';
import type { VipMode } from '../../src/core/model/vip.ts';
import type { KernelPorts } from '../../src/kernel/executor.ts';
import { type FakeFilter, fakeFilter } from '../../src/kernel/fake/filter.ts';
import { type FakeIpvs, type FakeIpvsOptions, fakeIpvs } from '../../src/kernel/fake/ipvs.ts';
import { type FakeLink, fakeLink } from '../../src/kernel/fake/link.ts';
import { context, nodeAddresses } from './context.ts';

export interface FakePorts extends KernelPorts {
  readonly ipvs: FakeIpvs;
  readonly link: FakeLink;
  readonly filter: FakeFilter;
}

/** What the tables are loaded with. */
export const skeleton = {
  podInterface: undefined,
  masqueradeMark: 0x4000,
  fwmarkMask: 0x3fff,
} as const;

export const fwmarkMask = 0x0000_0f00;

export async function fakePorts(options: FakeIpvsOptions = {}, mode: VipMode = 'address'): Promise<FakePorts> {
  const ports = { ipvs: fakeIpvs(options), link: fakeLink({ mode, addresses: nodeAddresses }), filter: fakeFilter() };
  await ports.filter.ensureTable(skeleton);
  ports.link.ensureInterface();
  return ports;
}

export interface ReconcilerSettings {
  readonly context?: CompileContext;
  readonly vipMode?: VipMode;
  readonly now?: () => number;
  readonly graceMs?: number;
  readonly fwmarkMask?: number;
}

/** A reconciler as the agent makes it, not started. */
export function reconcilerOn(ports: KernelPorts, settings: ReconcilerSettings = {}): Reconciler {
  return createReconciler({
    ports,
    context: settings.context ?? context(),
    rules: { nodeName: 'node-a', vipMode: settings.vipMode ?? 'address', excludedCIDRs: [] },
    fwmarkMask: settings.fwmarkMask ?? fwmarkMask,
    graceMs: settings.graceMs ?? 30_000,
    now: settings.now ?? (() => 0),
  });
}

/** One `set` per object. */
export function sets(...objects: readonly ObjectFact[]): readonly FactChange[] {
  return objects.map((object) => ({ change: 'set', ...object }));
}

/** The complete list of each kind, with these objects. */
export function completeLists(objects: readonly ObjectFact[]): readonly FactChange[] {
  return objectKinds.map((kind) => ({ change: 'replace', kind, facts: objects.filter((each) => each.kind === kind) }));
}

/** All writes that the fakes were given so far. */
export function writes(ports: FakePorts): number {
  return ports.ipvs.writes + ports.link.writes + ports.filter.writes;
}
