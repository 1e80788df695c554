import type { Facts } from '../core/facts.ts';
import type { CompileContext } from '../core/model/context.ts';
import type { FactChange } from '../core/model/facts.ts';
import type { KernelPorts } from '../kernel/executor.ts';
import type { FilterSkeleton } from '../kernel/ports.ts';
import type { AuditRhythm } from './audit-pause.ts';
import type { NodeReading } from './context.ts';
import type { Reconciler } from './reconciler/reconciler.ts';
import type { PassOutcome, ReconcilerView } from './reconciler/state.ts';

/** What the loop works with. */
export interface LoopInput extends AuditRhythm {
  readonly reconciler: Reconciler;
  readonly ports: KernelPorts;
  readonly skeleton: FilterSkeleton;
  /** The node is read anew at the start and whenever addresses or the Node object change. */
  readonly contextOf: (reading: NodeReading) => CompileContext;
  readonly observer: LoopObserver;
}

/** What the loop tells of what it does. */
export interface LoopObserver {
  /** The loop waits for the complete lists. */
  started(): void;
  /** Facts arrived; `facts` are still without them. */
  received(batch: readonly FactChange[], facts: Facts): void;
  /** Facts were taken in and no pass came of it: they ask for nothing, or it is too early. */
  taken(view: ReconcilerView): void;
  passed(outcome: PassOutcome, view: ReconcilerView): void;
  /** Something could not be done; it is tried again after `retryInMs`. */
  troubled(what: string, error: unknown, retryInMs: number): void;
  /** The record of ownership was lost, and nobody can tell whether these virtual servers on VIPs are sluice's. */
  leftAlone(servers: readonly string[]): void;
}
