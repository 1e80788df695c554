import { type ActualStore, adoptReading } from '../../core/actual.ts';
import type { Census } from '../../core/census.ts';
import { type DesiredStore, emptyDesired } from '../../core/desired.ts';
import { type DrainStore, emptyDrains } from '../../core/drain.ts';
import { emptyFacts, type FactStore } from '../../core/facts.ts';
import type { LongList } from '../../core/large-list.ts';
import { emptyMarks, type MarkStore } from '../../core/marks.ts';
import type { CompileContext } from '../../core/model/context.ts';
import type { LargePlan } from '../../core/model/operation.ts';
import type { PlanRules } from '../../core/plan.ts';
import type { Execution } from '../../kernel/execution.ts';
import type { KernelPorts } from '../../kernel/executor.ts';
import { emptyQuarantine, type Quarantine, type QuarantineStore } from './quarantine.ts';

export interface ReconcilerOptions {
  readonly ports: KernelPorts;
  readonly context: CompileContext;
  readonly rules: Omit<PlanRules, 'quarantined'>;
  readonly fwmarkMask: number;
  /** How long a destination that no slice lists any more may keep its connections. */
  readonly graceMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

export type PassTrigger = 'start' | 'change' | 'context' | 'audit' | 'retry' | 'drain';

/** What one pass did, as a value for logs, metrics and tests. */
export interface PassOutcome {
  readonly trigger: PassTrigger;
  /** The Services that were compiled. */
  readonly services: LongList<string>;
  /** Other Services with a claim on one of their frontends. */
  readonly rivals: readonly string[];
  readonly plan: LargePlan;
  readonly execution: Execution;
  /** Keys of health checks to look at; their servers are no concern of the kernel. */
  readonly healthChecks: readonly string[];
  /** What was found in the kernel, of passes that read it. */
  readonly census: Census | undefined;
  readonly durationMs: number;
  /** Of passes that read the kernel. */
  readonly spans: PassSpans | undefined;
  /** The pass that this one gave cause for: Services compiled again for what the kernel answered. */
  readonly followedBy: PassOutcome | undefined;
}

/** Where the time of a pass went, in milliseconds on the clock of `options.now`; 0 for what it did not do. */
export interface PassSpans {
  /** Reading the kernel and adopting what was found. */
  readonly readMs: number;
  /** Services into wanted resources. */
  readonly compileMs: number;
  /** Wanted against actual. */
  readonly planMs: number;
  /** Writing to the kernel and taking the result into account. */
  readonly executeMs: number;
}

/** What others may read of the reconciler. */
export interface ReconcilerView {
  readonly facts: FactStore;
  readonly desired: DesiredStore;
  readonly actual: ActualStore;
  readonly drains: DrainStore;
  /** Frontends of deleted Services that have connections; until when, on the clock of `options.now`. */
  readonly lingering: ReadonlyMap<string, number>;
  readonly context: CompileContext;
  /** Resource keys whose last operation failed or was withheld. */
  readonly failing: ReadonlySet<string>;
  /** The kernel contradicted what was believed: an audit is due. */
  readonly isUncertain: boolean;
  readonly isStarted: boolean;
  /** A pass in steps goes on, and takes no others beside it. */
  readonly isExclusive: boolean;
  readonly quarantined: Quarantine;
}

/** A reading of the kernel that goes on. */
export interface OpenReading {
  /** Keys of resources that passes changed since it began. */
  readonly touched: Set<string>;
  /** The kernel contradicted what was believed since it began. */
  isContradicted: boolean;
}

export interface ReconcilerState extends ReconcilerView {
  readonly options: ReconcilerOptions;
  actual: ActualStore;
  readonly lingering: Map<string, number>;
  readonly marks: MarkStore;
  context: CompileContext;
  readonly quarantined: QuarantineStore;
  /** Services with an inside view for which no mark was free. */
  readonly markless: Set<string>;
  /** Schedulers that the kernel turned out to lack. */
  readonly struck: Set<string>;
  /** Services whose UDP endpoints changed since they were last asked for. */
  udpServices: Set<string>;
  readonly failing: Set<string>;
  /** Services that changed after the first pass began. */
  readonly missed: Set<string>;
  isUncertain: boolean;
  isStarted: boolean;
  isExclusive: boolean;
  reading: OpenReading | undefined;
}

export function initialState(options: ReconcilerOptions): ReconcilerState {
  return {
    options,
    facts: emptyFacts(options.rules.nodeName),
    desired: emptyDesired(),
    actual: adoptReading({ virtualServers: [], vips: [], elements: [] }),
    drains: emptyDrains(),
    lingering: new Map(),
    marks: emptyMarks(options.fwmarkMask),
    context: options.context,
    quarantined: emptyQuarantine(),
    markless: new Set(),
    struck: new Set(),
    udpServices: new Set(),
    failing: new Set(),
    missed: new Set(),
    isUncertain: false,
    isStarted: false,
    isExclusive: false,
    reading: undefined,
  };
}
