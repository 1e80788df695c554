/**
 * Keeps the kernel at what the facts ask for. A change costs what it touches: the Services it names are compiled, the
 * resources that differ are planned and carried out. The kernel is read in full at the start and at every audit.
 */

import { servicesTouchedBy } from '../../core/context-change.ts';
import { setStanding } from '../../core/desired.ts';
import { applyChanges, servicesToCompile } from '../../core/facts.ts';
import type { CompileContext } from '../../core/model/context.ts';
import type { FactChange } from '../../core/model/facts.ts';
import { standingElements } from '../../core/standing-elements.ts';
import { finish, keysInSteps, type Steps } from '../../core/steps.ts';
import { auditSteps } from './audit-pass.ts';
import { drainPass } from './drain-pass.ts';
import { lingerPass } from './linger-pass.ts';
import { changePass, retryPass, withoutStruck } from './pass.ts';
import { releaseAll } from './quarantine.ts';
import { distrust } from './read-kernel.ts';
import { startSteps } from './start-pass.ts';
import {
  initialState,
  type PassOutcome,
  type ReconcilerOptions,
  type ReconcilerState,
  type ReconcilerView,
} from './state.ts';

export interface Reconciler {
  /** Takes facts in. Before `start` they are only kept; afterwards they are carried out at once. */
  changes(batch: readonly FactChange[]): PassOutcome | undefined;
  /** Reads the kernel, adopts it, compiles everything, carries out the difference. */
  start(): PassOutcome;
  /**
   * The same in steps. Facts that come in between are only kept; once all is done `changes([])` carries them out. Nothing
   * else may be asked of the reconciler meanwhile.
   */
  startInSteps(): Steps<PassOutcome>;
  /** Reads the kernel again and mends what differs. */
  audit(): PassOutcome;
  /**
   * The same in steps. Everything else may be asked for between them, but for those where the view says `isExclusive`: facts
   * are only kept then, until `changes([])`, and nothing else may be asked.
   */
  auditInSteps(): Steps<PassOutcome>;
  /** The node or the configuration changed: what that touches is compiled again. Undefined before `start`, and for nothing. */
  setContext(context: CompileContext): PassOutcome | undefined;
  /** Tries again what failed. Undefined when nothing did. */
  retry(): PassOutcome | undefined;
  /**
   * Passes that look after draining destinations and the frontends of deleted Services, some in each: undefined where none of
   * them has to go. Everything else may be asked for between them.
   */
  drainPasses(): readonly (() => PassOutcome | undefined)[];
  /**
   * Services whose UDP endpoints changed since the last call; all Services after `start`. While something failed they are
   * named again after each pass: the kernel may still send their datagrams to where it did.
   */
  takeUdpServices(): Set<string>;
  readonly view: ReconcilerView;
}

export function createReconciler(options: ReconcilerOptions): Reconciler {
  const state = initialState(options);
  return {
    view: state,
    changes: (batch) => {
      const touched = applyChanges(state.facts, batch);
      for (const service of touched.udpServices) {
        state.udpServices.add(service);
      }
      if (!state.isStarted && !state.isExclusive) {
        // A start compiles all.
        return undefined;
      }
      const services = servicesToCompile(state.facts, touched);
      return state.isExclusive ? keepTouched(state, services) : carryOutTouched(state, services);
    },
    start: () => finish(startOnce(state)),
    startInSteps: () => startOnce(state),
    audit: () => finish(auditOnce(state)),
    auditInSteps: () => auditOnce(state),
    setContext: (context) => {
      const before = state.context;
      state.context = withoutStruck(context, state.struck);
      const standing = setStanding(state.desired, standingElements(state.context));
      if (!state.isStarted) {
        // The first pass looks at everything.
        releaseAll(state.quarantined);
        return undefined;
      }
      const services = servicesTouchedBy(before, state.context, state.facts);
      if (services.size === 0 && standing.size === 0) {
        return undefined;
      }
      releaseAll(state.quarantined);
      return orUncertain(state, () => changePass(state, 'context', services, standing));
    },
    retry: () => (state.failing.size === 0 ? undefined : orUncertain(state, () => retryPass(state))),
    drainPasses: () => drainPasses(state),
    takeUdpServices: () => takeUdpServices(state),
  };
}

function* startOnce(state: ReconcilerState): Steps<PassOutcome> {
  // All are compiled now; what is touched from here on may come too late for that. A start may be one of several.
  state.missed.clear();
  state.isStarted = false;
  state.isExclusive = true;
  try {
    return yield* startSteps(state);
  } finally {
    state.isExclusive = false;
  }
}

function* auditOnce(state: ReconcilerState): Steps<PassOutcome> {
  try {
    return yield* auditSteps(state);
  } catch (error) {
    distrust(state);
    throw error;
  }
}

function keepTouched({ missed }: ReconcilerState, services: ReadonlySet<string>): undefined {
  services.forEach((service) => missed.add(service));
}

function carryOutTouched(state: ReconcilerState, touched: ReadonlySet<string>): PassOutcome | undefined {
  const services = state.missed.size === 0 ? touched : new Set([...state.missed, ...touched]);
  if (services.size === 0) {
    return undefined;
  }
  state.missed.clear();
  return orUncertain(state, () => changePass(state, 'change', services));
}

function drainPasses(state: ReconcilerState): readonly (() => PassOutcome | undefined)[] {
  const passes: (() => PassOutcome | undefined)[] = [];
  for (const servers of keysInSteps([...state.drains.servers.keys()], askedAtOnce)) {
    passes.push(() => orUncertain(state, () => drainPass(state, servers)));
  }
  for (const frontends of keysInSteps([...state.lingering.keys()], askedAtOnce)) {
    passes.push(() => orUncertain(state, () => lingerPass(state, frontends)));
  }
  return passes;
}

/** The kernel is asked for the destinations of each, which takes some ten microseconds, and may be told to remove some. */
const askedAtOnce = 32;

function takeUdpServices(state: ReconcilerState): Set<string> {
  const taken = state.udpServices;
  const isInForce = state.failing.size === 0 && !state.isUncertain;
  state.udpServices = isInForce ? new Set() : new Set(taken);
  return taken;
}

/** A pass that breaks off has done nobody knows what. */
function orUncertain<Outcome extends PassOutcome | undefined>(state: ReconcilerState, pass: () => Outcome): Outcome {
  try {
    return pass();
  } catch (error) {
    distrust(state);
    throw error;
  }
}
