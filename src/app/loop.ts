/**
 * Decides when passes run. Facts are carried out the moment they arrive; besides that there is one timer each for
 * audits, retries and drains, and none of them runs without cause. What asks for a pass while one in steps goes on waits
 * for its end; while an audit only reads, nothing waits.
 */

import type { FactChange } from '../core/model/facts.ts';
import type { Steps } from '../core/steps.ts';
import { auditPauseMs } from './audit-pause.ts';
import { createDrainRounds } from './drain-rounds.ts';
import { readNode, readNodeSteps } from './kernel.ts';
import type { LoopInput } from './loop-input.ts';
import { delayOf, firstRetryMs, initialState, isFree, isStopped, type LoopState } from './loop-state.ts';
import { ensureRecord, prepareTable } from './ownership.ts';
import type { PassOutcome } from './reconciler/state.ts';
import { inSlices, nextTurn } from './slices.ts';

export interface Loop {
  /** Takes facts in; starts the work when all lists are complete. */
  changes(batch: readonly FactChange[]): void;
  /** What the context is read from may have changed. */
  contextChanged(): void;
  stop(): void;
}

/** Other kinds that do not come (no permission, wrong name of the node) must not keep Services from working. */
const patienceMs = 30_000;

export function startLoop(input: LoopInput): Loop {
  const loop = initialState(input);
  loop.lookAfterDrains = createDrainRounds({
    reconciler: input.reconciler,
    timers: loop.timers,
    whenFree: (action) => whenFree(loop, action),
    isFree: () => isFree(loop),
    carryOut: (pass) => guarded(loop, 'look after draining destinations', pass),
  });
  input.observer.started();
  // While the lists come. What goes wrong is met again, and told of, when they are there.
  loop.prepared = prepareTable(input.ports, input.skeleton).catch(() => {});
  loop.timers.set('patience', patienceMs, () => begin(loop, false));
  return {
    changes: (batch) => takeIn(loop, batch),
    contextChanged: () => whenFree(loop, () => refreshContext(loop)),
    stop: () => {
      loop.phase = 'stopped';
      loop.stopWatching();
      loop.timers.stop();
    },
  };
}

function takeIn(loop: LoopState, batch: readonly FactChange[]): void {
  const { reconciler, observer } = loop.input;
  if (isStopped(loop)) {
    return;
  }
  const { node, serviceCIDRs } = reconciler.view.facts;
  observer.received(batch, reconciler.view.facts);
  guarded(loop, 'carry out a change', () => {
    const outcome = reconciler.changes(batch);
    if (outcome === undefined) {
      observer.taken(reconciler.view);
    }
    return outcome;
  });
  const { facts } = reconciler.view;
  if (facts.node !== node || facts.serviceCIDRs !== serviceCIDRs) {
    whenFree(loop, () => refreshContext(loop));
  }
  begin(loop, true);
}

/** At once, or after the pass that goes on in steps; not at all before the first one, since that looks at everything. */
function whenFree(loop: LoopState, action: () => void): void {
  if (isFree(loop)) {
    action();
  } else if (loop.phase === 'starting' || loop.phase === 'running') {
    loop.deferred.push(action);
  }
}

/** No Service is looked at before the lists of Services and EndpointSlices are complete; the others are waited for. */
function begin(loop: LoopState, waitsForRest: boolean): void {
  const { complete } = loop.input.reconciler.view.facts;
  const isReady = complete.has('Service') && complete.has('EndpointSlice');
  const isWhole = complete.has('Node') && complete.has('ServiceCIDR');
  if (loop.phase !== 'waiting' || !isReady) {
    return;
  }
  if (waitsForRest && !isWhole) {
    // The patience of the start may be over: the API server was away.
    loop.timers.set('patience', patienceMs, () => begin(loop, false));
    return;
  }
  loop.phase = 'beginning';
  loop.timers.clear('patience');
  void bringUp(loop);
}

async function bringUp(loop: LoopState): Promise<void> {
  const { input } = loop;
  await loop.prepared;
  // The last list has just been taken in, which takes its time where it is long.
  await nextTurn();
  if (isStopped(loop)) {
    return;
  }
  try {
    const services = input.reconciler.view.facts.services.values();
    const { table, unclear } = await ensureRecord(input.ports, input.skeleton, services);
    if (unclear.length > 0) {
      input.observer.leftAlone(unclear);
    }
    await nextTurn();
    if (isStopped(loop)) {
      return;
    }
    const outcome = await inSlices(firstPass(loop), () => !isStopped(loop));
    await nextTurn();
    if (outcome === undefined || isStopped(loop)) {
      return;
    }
    report(loop, outcome);
    // The start has read the kernel as an audit does. On a node that was empty it cost nothing, and the next one does: it
    // takes no longer than the start in all.
    scheduleAudit(loop, auditPauseMs(input, outcome.durationMs));
    await nextTurn();
    if (isStopped(loop)) {
      return;
    }
    loop.phase = 'running';
    catchUp(loop);
    if (table === 'to-be-filled') {
      await input.ports.filter.ensureTable(input.skeleton);
    }
  } catch (error) {
    loop.phase = 'beginning';
    const delayMs = delayOf(loop);
    loop.attempts += 1;
    input.observer.troubled('program the kernel for the first time', error, delayMs);
    loop.timers.set('begin', delayMs, () => void bringUp(loop));
  }
}

function* firstPass(loop: LoopState): Steps<PassOutcome> {
  const { ports, reconciler, contextOf } = loop.input;
  ports.link.ensureInterface();
  // Before they are read: what comes during the first pass is told of after it.
  loop.phase = 'starting';
  loop.stopWatching();
  loop.stopWatching = ports.link.onAddressChange((gone) => whenFree(loop, () => followAddresses(loop, gone)));
  yield;
  const reading = yield* readNodeSteps(ports);
  yield;
  const context = contextOf(reading);
  yield;
  reconciler.setContext(context);
  loop.attempts = 0;
  yield;
  return yield* reconciler.startInSteps();
}

/** Carries out what came during a pass in steps. */
function catchUp(loop: LoopState): void {
  guarded(loop, 'carry out a change', () => loop.input.reconciler.changes([]));
  loop.deferred.splice(0).forEach((action) => action());
}

/**
 * With an IPv6 address the kernel takes the source of every route that names it (rt6_remove_prefsrc in
 * net/ipv6/route.c), those of all VIPs among them, and does not give it back when the address is there again a moment
 * later and nothing looks changed. The routes are read again then. IPv4 routes in table `local` keep theirs.
 */
function followAddresses(loop: LoopState, gone: ReadonlySet<string> | undefined): void {
  const { IPv6 } = loop.input.reconciler.view.context.sources;
  refreshContext(loop);
  if (gone === undefined || (IPv6 !== undefined && gone.has(IPv6))) {
    scheduleAudit(loop, 0);
  }
}

/** Costs nothing when the node looks as before. */
function refreshContext(loop: LoopState): void {
  const { ports, reconciler, contextOf, observer } = loop.input;
  try {
    report(loop, reconciler.setContext(contextOf(readNode(ports))));
  } catch (error) {
    observer.troubled('read the addresses of this node', error, firstRetryMs);
    scheduleAudit(loop, firstRetryMs);
  }
}

/** One at a time. */
async function audit(loop: LoopState): Promise<void> {
  if (loop.isAuditing) {
    loop.auditsAgain = true;
    return;
  }
  loop.isAuditing = true;
  loop.auditsAgain = false;
  await auditOnce(loop);
  loop.isAuditing = false;
  if (isStopped(loop)) {
    return;
  }
  catchUp(loop);
  if (loop.auditsAgain) {
    scheduleAudit(loop, 0);
  }
}

async function auditOnce(loop: LoopState): Promise<void> {
  const { ports, skeleton, reconciler, observer } = loop.input;
  loop.attempts += 1;
  try {
    // Whether the table is whole is known without its elements, which the audit reads.
    if (!ports.filter.holds([])) {
      await ports.filter.ensureTable(skeleton);
    }
    if (isStopped(loop)) {
      return;
    }
    ports.link.ensureInterface();
    await nextTurn();
    if (isStopped(loop)) {
      return;
    }
    refreshContext(loop);
    await nextTurn();
    if (isStopped(loop)) {
      return;
    }
    const outcome = await inSlices(reconciler.auditInSteps(), () => loop.phase === 'running');
    if (outcome === undefined) {
      return;
    }
    report(loop, outcome);
    scheduleAudit(loop, auditPauseMs(loop.input, outcome.durationMs));
  } catch (error) {
    const delayMs = delayOf(loop);
    observer.troubled('audit the kernel', error, delayMs);
    scheduleAudit(loop, delayMs);
  }
}

/** Tells of a pass and sets the timers that its result asks for. */
function report(loop: LoopState, outcome: PassOutcome | undefined): void {
  const { reconciler, observer } = loop.input;
  if (outcome === undefined) {
    return;
  }
  for (let pass: PassOutcome | undefined = outcome; pass !== undefined; pass = pass.followedBy) {
    observer.passed(pass, reconciler.view);
  }
  const { failing, isUncertain } = reconciler.view;
  if (isUncertain) {
    scheduleAudit(loop, delayOf(loop));
  } else if (failing.size > 0) {
    loop.timers.set('retry', delayOf(loop), () => whenFree(loop, () => retry(loop)));
  } else {
    loop.attempts = 0;
  }
  loop.lookAfterDrains();
}

function retry(loop: LoopState): void {
  loop.attempts += 1;
  guarded(loop, 'try failed operations again', () => loop.input.reconciler.retry());
}

/** A pass that throws leaves the kernel in an unknown state: it is read again. */
function guarded(loop: LoopState, what: string, pass: () => PassOutcome | undefined): void {
  try {
    report(loop, pass());
  } catch (error) {
    const delayMs = delayOf(loop);
    loop.input.observer.troubled(what, error, delayMs);
    scheduleAudit(loop, delayMs);
  }
}

function scheduleAudit(loop: LoopState, delayMs: number): void {
  loop.timers.set('audit', delayMs, () => void audit(loop));
}
