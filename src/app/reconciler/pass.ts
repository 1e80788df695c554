/** One pass: compile what is touched, plan what differs, carry it out, take into account what is now in force. */

import { advance, resourceKeyOf } from '../../core/actual.ts';
import { isScheduler } from '../../core/annotations.ts';
import type { Census } from '../../core/census.ts';
import { compileService } from '../../core/compile.ts';
import { bySeniority, expectedOf, rivalsOf, setContribution } from '../../core/desired.ts';
import { trackDrains } from '../../core/drain.ts';
import { slicesOf } from '../../core/facts.ts';
import { isHealthCheckKey } from '../../core/keys.ts';
import type { LongList } from '../../core/large-list.ts';
import { hasFreeMark, type MarkHolders, openMarks } from '../../core/marks.ts';
import type { CompileContext } from '../../core/model/context.ts';
import type { Plan } from '../../core/model/operation.ts';
import type { Contribution } from '../../core/model/resource.ts';
import { makePlan, type PlanInput } from '../../core/plan.ts';
import type { Execution, FailedOperation } from '../../kernel/execution.ts';
import { executePlan } from '../../kernel/executor.ts';
import { addLingering, dropTaken } from './lingering.ts';
import { quarantine, releaseChanged } from './quarantine.ts';
import { distrust, noteTouched } from './read-kernel.ts';
import type { PassOutcome, PassTrigger, ReconcilerState } from './state.ts';
import { type Stopwatch, startTimer } from './stopwatch.ts';

/** The named Services alone, and before them the resources with these keys. */
export function changePass(
  state: ReconcilerState,
  trigger: PassTrigger,
  services: Iterable<string>,
  first: Iterable<string> = [],
): PassOutcome {
  const stopwatch = startTimer(state.options.now);
  const keys = new Set(first);
  const compiled: string[] = [];
  const rivals = new Set<string>();
  for (const service of services) {
    compiled.push(service);
    rivalsOf(state.desired, service).forEach((rival) => rivals.add(rival));
    for (const key of compileInto(state, service, () => state.actual)) {
      keys.add(key);
    }
    rivalsOf(state.desired, service).forEach((rival) => rivals.add(rival));
  }
  for (const key of [...dropTaken(state), ...addLingering(state, [...keys])]) {
    keys.add(key);
  }
  addHeldBack(state, keys);
  return carryOut(state, { trigger, services: compiled, rivals: [...rivals], keys, stopwatch });
}

/** A VIP that was held back is not exposed on behalf of another Service before the guards that failed are tried again. */
function addHeldBack(state: ReconcilerState, keys: Set<string>): void {
  if (state.failing.size === 0 || ![...keys].some((key) => state.failing.has(key) && isVip(state, key))) {
    return;
  }
  for (const key of state.failing) {
    keys.add(key);
  }
}

function isVip(state: ReconcilerState, key: string): boolean {
  return state.desired.resources.get(key)?.kind === 'vip';
}

export function retryPass(state: ReconcilerState): PassOutcome {
  const stopwatch = startTimer(state.options.now);
  return carryOut(state, { trigger: 'retry', services: [], keys: [...state.failing], stopwatch });
}

export interface PlannedPass {
  readonly trigger: PassTrigger;
  readonly services: LongList<string>;
  readonly rivals?: readonly string[];
  readonly keys: Iterable<string>;
  readonly census?: Census;
  readonly stopwatch: Stopwatch;
}

/** Carries a plan out and takes the result into account. */
export function settle(state: ReconcilerState, pass: PlannedPass, plan: Plan): PassOutcome {
  // Not as the steps of a full pass: a change is small, and handing steps on would take a sixth of its time.
  const execution = executePlan(plan, state.options.ports);
  advance(state.actual, execution.performed, expectedOf(state.desired));
  trackDrains(state.drains, state, pass.keys);
  const healthChecks = [...pass.keys].filter(isHealthCheckKey);
  return conclude(state, pass, { plan, execution, healthChecks });
}

/** Takes into account what was carried out. */
export function conclude(
  state: ReconcilerState,
  pass: PlannedPass,
  done: Pick<PassOutcome, 'plan' | 'execution' | 'healthChecks'>,
): PassOutcome {
  const { execution } = done;
  noteFailures(state, execution);
  noteTouched(state, execution);
  if (execution.isUncertain) {
    distrust(state);
  }
  const durationMs = pass.stopwatch.end('executeMs');
  const { trigger, services, rivals = [], census, stopwatch } = pass;
  const times = { durationMs, spans: stopwatch.spans };
  const followedBy = followUp(state, strikeSchedulers(state, execution.failed));
  return { trigger, services, rivals, ...done, census, ...times, followedBy };
}

/** Plans for these keys, and settles. */
export function carryOut(state: ReconcilerState, pass: PlannedPass): PassOutcome {
  const plan = makePlan(planInput(state, pass));
  noteTried(state, pass);
  return settle(state, pass, plan);
}

export function planInput<Keys extends Iterable<string>>(
  state: ReconcilerState,
  { keys }: { readonly keys: Keys },
): PlanInput & { readonly keys: Keys } {
  const { desired, actual, options, quarantined } = state;
  return { desired, actual, keys, rules: { ...options.rules, quarantined: quarantined.keys } };
}

/** What failed before has been tried again. */
export function noteTried({ failing }: ReconcilerState, { keys, stopwatch }: PlannedPass): void {
  stopwatch.lap('planMs');
  if (failing.size === 0) {
    return;
  }
  for (const key of keys) {
    failing.delete(key);
  }
}

/** Compiles one Service, and puts it with the others. Returns the keys of resources to look at. */
export function compileInto(state: ReconcilerState, key: string, holders: () => MarkHolders): ReadonlySet<string> {
  const service = state.facts.services.get(key);
  const session = openMarks(state.marks, holders, key);
  const contribution =
    service === undefined
      ? undefined
      : compileService({
          service,
          slices: slicesOf(state.facts, key),
          context: state.context,
          addresses: state.facts.addresses,
          last: state.desired.contributions.get(key),
          markOf: session.markOf,
        });
  session.settle();
  const changed = setContribution(state.desired, key, contribution);
  if (contribution?.refusals.some(({ reason }) => reason === 'fwmarks-exhausted') === true) {
    state.markless.add(key);
  } else {
    state.markless.delete(key);
  }
  releaseChanged(state.quarantined, state.desired, key);
  return changed;
}

/** What failed or was withheld is tried again, except what the kernel will not take and what rests on it. */
function noteFailures(state: ReconcilerState, { failed, withheld }: Execution): void {
  const unmade = new Set<string>();
  for (const failure of failed) {
    const { operation } = failure;
    const key = resourceKeyOf(operation);
    if (!quarantine(state.quarantined, state.desired, failure)) {
      state.failing.add(key);
    } else if (operation.kind === 'add-virtual-server') {
      unmade.add(key);
    }
  }
  for (const key of withheld.map(resourceKeyOf)) {
    if (!unmade.has(key)) {
      state.failing.add(key);
    }
  }
}

/**
 * Strikes schedulers that the kernel turned out to lack from the list; returns the Services that use them. The default
 * stays on it: there is nothing to fall back to, so its servers are tried again.
 */
function strikeSchedulers(state: ReconcilerState, failed: readonly FailedOperation[]): readonly string[] {
  const names = new Set<string>();
  for (const { operation, remedy } of failed) {
    const { schedulers } = state.context;
    const name = remedy === 'scheduler-missing' && 'server' in operation ? operation.server.scheduler : '';
    if (name !== schedulers.defaultScheduler && isScheduler(name) && schedulers.available.has(name)) {
      names.add(name);
    }
  }
  if (names.size === 0) {
    return [];
  }
  for (const name of names) {
    state.struck.add(name);
  }
  state.context = withoutStruck(state.context, state.struck);
  const users = [...state.desired.contributions.values()].filter((contribution) => usesScheduler(contribution, names));
  return users.map((contribution) => contribution.service);
}

/** Compiles these Services again, and those that wait for a mark as long as one is free. */
function followUp(state: ReconcilerState, services: readonly string[]): PassOutcome | undefined {
  const hasTakers = state.markless.size > 0 && hasFreeMark(state.marks, state.actual);
  return services.length === 0 && !hasTakers ? undefined : changePass(state, 'retry', withTakers(state, services));
}

/** One after the other, since each one that is compiled takes marks. */
function* withTakers(state: ReconcilerState, services: readonly string[]): Generator<string> {
  yield* services;
  const { services: facts } = state.facts;
  const waiting = [...state.markless].map((key) => facts.get(key)).filter((fact) => fact !== undefined);
  for (const { key } of bySeniority(waiting)) {
    if (!hasFreeMark(state.marks, state.actual)) {
      return;
    }
    yield key;
  }
}

/** An inside view may have another scheduler than the Service asks for. */
function usesScheduler({ scheduler, frontends }: Contribution, names: ReadonlySet<string>): boolean {
  const resources = frontends.flatMap((frontend) => frontend.resources);
  return (
    names.has(scheduler) ||
    resources.some((resource) => resource.kind === 'virtual-server' && names.has(resource.value.server.scheduler))
  );
}

/** The context without schedulers that this kernel turned out to lack. */
export function withoutStruck(context: CompileContext, struck: ReadonlySet<string>): CompileContext {
  const { schedulers } = context;
  const available = new Set([...schedulers.available].filter((name) => !struck.has(name)));
  return struck.size === 0 ? context : { ...context, schedulers: { ...schedulers, available } };
}
