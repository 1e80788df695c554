/** Lives through a world on a node, and says after each step whether the node holds what it should. */

import { expect } from 'vitest';
import type { Reconciler } from '../../src/app/reconciler/reconciler.ts';
import { type Actual, adoptReading } from '../../src/core/actual.ts';
import { compileService } from '../../src/core/compile.ts';
import { applyChanges, emptyFacts, type FactStore, slicesOf } from '../../src/core/facts.ts';
import { destinationKey, filterElementKey, virtualServerKey } from '../../src/core/keys.ts';
import type { FactChange } from '../../src/core/model/facts.ts';
import type { IpvsOperation } from '../../src/core/model/operation.ts';
import type { Contribution, Resource } from '../../src/core/model/resource.ts';
import type { VipMode } from '../../src/core/model/vip.ts';
import { phases } from '../../src/core/plan.ts';
import { renderActual, renderDesired } from '../../src/core/render.ts';
import { standingElements } from '../../src/core/standing-elements.ts';
import { finish } from '../../src/core/steps.ts';
import type { KernelPorts } from '../../src/kernel/executor.ts';
import { renderIpvs } from '../../src/kernel/ipvs/render.ts';
import { context } from './context.ts';
import { drain } from './drain.ts';
import { type MishapPorts, withMishaps } from './mishaps.ts';
import { reconcilerOn } from './node-ports.ts';
import { lineOf } from './scripted-ports.ts';
import { destination, virtualServer } from './servers.ts';
import type { Step } from './worlds.ts';

/** On the VIP interface from the start, and never a VIP. */
export const foreignAddress = '203.0.113.2';

const foreignServers = [
  virtualServer('TCP', { identity: { kind: 'address', protocol: 'TCP', address: '203.0.113.1', port: 80 } }),
  // Inside the mask of sluice's own marks.
  virtualServer('TCP', { identity: { kind: 'fwmark', family: 'IPv4', mark: 0x100 } }),
];

interface Life {
  readonly ports: MishapPorts;
  readonly facts: FactStore;
  readonly vipMode: VipMode;
  reconciler: Reconciler;
  now: number;
  context: ReturnType<typeof context>;
}

/** `ports` are those of a node without virtual servers and with `foreignAddress` on its VIP interface. */
export function live(ports: KernelPorts, steps: readonly Step[], vipMode: VipMode = 'address'): void {
  ports.ipvs.apply(foreignServers.flatMap(addForeign));
  const facts = emptyFacts('node-a');
  const mishaps = withMishaps(ports);
  const life: Life = { ports: mishaps, facts, vipMode, reconciler: reconcilerOn(mishaps), now: 0, context: context() };
  restart(life);
  for (const [index, step] of steps.entries()) {
    takeDuringAudit(life, step, index);
    settle(life);
    expectRight(life, step);
    // An audit also mends what is believed, so most steps go without.
    if (index % 4 === 3 || index === steps.length - 1) {
      expectQuiet(life);
    }
  }
  deliver(life, [{ change: 'replace', kind: 'Service', facts: [] }]);
  settle(life);
  expectClean(life);
}

function addForeign(server: (typeof foreignServers)[number]): readonly IpvsOperation[] {
  return [
    { kind: 'add-virtual-server', server },
    { kind: 'add-destination', identity: server.identity, destination: destination('10.1.9.9') },
  ];
}

/** An audit goes on while the step is taken, and is somewhere else each time. */
function takeDuringAudit(life: Life, step: Step, index: number): void {
  const { reconciler } = life;
  const audit = reconciler.auditInSteps();
  for (let done = 0; done < index % 8; done += 1) {
    audit.next();
  }
  if (reconciler.view.isExclusive || step.do === 'restart' || step.do === 'meddle') {
    finish(audit);
  }
  take(life, step);
  if (life.reconciler === reconciler) {
    finish(audit);
    reconciler.changes([]);
  }
}

function take(life: Life, step: Step): void {
  switch (step.do) {
    case 'change':
      deliver(life, step.batch);
      break;
    case 'restart':
      restart(life);
      break;
    case 'fail':
      life.ports.failNext(step.kind, step.code);
      break;
    case 'lose':
      life.ports.loseNext(step.port);
      break;
    case 'meddle':
      meddle(life, step);
      break;
    case 'context':
      life.context = context(step.fields);
      life.reconciler.setContext(life.context);
      break;
    case 'wait':
      drain(life.reconciler);
      life.now += 60_000;
      drain(life.reconciler);
      break;
  }
}

function deliver(life: Life, batch: readonly FactChange[]): void {
  applyChanges(life.facts, batch);
  life.reconciler.changes(batch);
}

function restart(life: Life): void {
  life.reconciler = reconcilerOn(life.ports, {
    context: life.context,
    vipMode: life.vipMode,
    now: () => life.now,
  });
  const services = [...life.facts.services.values()].map((fact) => ({ kind: 'Service', fact }) as const);
  const slices = [...life.facts.slices.values()].flat();
  life.reconciler.changes([
    { change: 'replace', kind: 'Service', facts: services },
    { change: 'replace', kind: 'EndpointSlice', facts: slices.map((fact) => ({ kind: 'EndpointSlice', fact })) },
    { change: 'replace', kind: 'Node', facts: [...life.facts.nodes.values()].map((fact) => ({ kind: 'Node', fact })) },
  ]);
  life.reconciler.start();
}

function meddle(life: Life, { what, pick }: Extract<Step, { readonly do: 'meddle' }>): void {
  const foreign = new Set(foreignServers.map(({ identity }) => virtualServerKey(identity)));
  const own = life.ports.ipvs.dump().filter(({ server }) => !foreign.has(virtualServerKey(server.identity)));
  const victim = own[pick % Math.max(1, own.length)];
  if (victim !== undefined) {
    const { identity } = victim.server;
    const destinations = victim.destinations.map(
      (to) => ({ kind: 'remove-destination', identity, destination: to }) as const,
    );
    life.ports.ipvs.apply(what === 'server' ? [{ kind: 'remove-virtual-server', identity }] : destinations);
  }
  life.reconciler.audit();
}

/** What the agent's timers do, until there is nothing left for them. */
function settle(life: Life): void {
  for (let round = 0; round < 20; round += 1) {
    const { isUncertain, failing } = life.reconciler.view;
    if (isUncertain) {
      life.reconciler.audit();
    } else if (failing.size > 0) {
      life.reconciler.retry();
    } else {
      return;
    }
  }
  expect.unreachable(`still failing: ${[...life.reconciler.view.failing].join(', ')}`);
}

function expectRight(life: Life, step: Step): void {
  const { ports, reconciler } = life;
  const { desired } = reconciler.view;
  const actual = adoptReading({
    virtualServers: ports.ipvs.dump(),
    vips: ports.link.dumpVips(),
    elements: ports.filter.dump() ?? [],
  });
  expect(renderActual(actual, desired), `after ${JSON.stringify(step)}`).toBe(renderDesired(desired));
  expect(keysOf(reconciler.view.actual), 'what is believed').toEqual(keysOf(actual));
  expect(frontendsOf(desired.contributions.values()), 'what a start would compile').toEqual(compiledAnew(life));
  expectForeign(life);
}

/** The frontends and refusals of all Services, compiled without regard to what was before. */
function compiledAnew({ facts, reconciler }: Life): readonly string[] {
  const contributions = [...facts.services.values()].map((fact) =>
    compileService({
      service: fact,
      slices: slicesOf(facts, fact.key),
      context: reconciler.view.context,
      addresses: facts.addresses,
      last: undefined,
      markOf: () => 1,
    }),
  );
  return frontendsOf(contributions);
}

function frontendsOf(contributions: Iterable<Contribution>): readonly string[] {
  const lines = [...contributions].flatMap(({ service, frontends, refusals }) => [
    ...frontends.map(({ key, resources }) => `${service} ${key} ${resources.map(textOf).join()}`),
    ...refusals
      .filter(({ reason }) => reason.startsWith('address-'))
      .map(({ reason, found }) => `${service} ${reason} ${found}`),
  ]);
  return lines.sort();
}

/** Marks and schedulers depend on what was before. */
function textOf(resource: Resource): string {
  return resource.kind === 'virtual-server'
    ? resource.value.destinations.map(destinationKey).join('+')
    : resource.key.replace(/fwmarks \d+/, 'fwmarks');
}

function keysOf({ virtualServers, vips, elements }: Actual): readonly string[] {
  const destinations = [...virtualServers].flatMap(([key, there]) =>
    there.destinations.map((to) => `${key} ${destinationKey(to)}`),
  );
  return [...virtualServers.keys(), ...destinations, ...vips.keys(), ...elements.keys()].sort();
}

function expectQuiet({ ports, reconciler }: Life): void {
  const before = ports.writes;
  const { plan } = reconciler.audit();
  expect(
    phases.flatMap((phase) => [...plan[phase]].map(lineOf)),
    'a second pass',
  ).toEqual([]);
  expect(ports.writes).toBe(before);
}

function expectForeign({ ports }: Life): void {
  const keys = new Set(foreignServers.map(({ identity }) => virtualServerKey(identity)));
  const found = ports.ipvs.dump().filter(({ server }) => keys.has(virtualServerKey(server.identity)));
  expect(found.map(({ server }) => server.identity)).toHaveLength(foreignServers.length);
  expect(found.every(({ destinations }) => destinations.length === 1)).toBe(true);
  expect(ports.link.dumpVips().map((vip) => vip.address)).toContain(foreignAddress);
}

function expectClean(life: Life): void {
  expectForeign(life);
  expect(renderIpvs(life.ports.ipvs.dump())).toMatch(/203\.0\.113\.1/);
  expect(life.ports.ipvs.dump()).toHaveLength(foreignServers.length);
  expect(life.ports.link.dumpVips()).toHaveLength(1);
  const standing = standingElements(life.reconciler.view.context).map(filterElementKey);
  expect(life.ports.filter.dump()?.map(filterElementKey).sort()).toEqual([...standing].sort());
}
