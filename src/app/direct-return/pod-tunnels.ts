/**
 * Keeps the pods of this node prepared for direct server return: those that are wanted, and no others. Looking a pod up
 * in the container runtime takes its time, so it is done beside the loop, for a few pods at once; the loop is told how
 * far each is.
 */

import type { PodTunnel, PodTunnelState } from '../../core/model/pod-tunnel.ts';
import { adoptPod, attemptPod, isSameTunnel, newPod, type Pod, type PodInput, retryDelay } from './pod.ts';

export interface PodTunnelsInput extends PodInput {
  /** States changed; called once for all that changed together. */
  readonly onChange: () => void;
  /** How often prepared pods are looked at again. */
  readonly auditPeriodMs: number;
}

export interface PodTunnels {
  /** By the pod's address; another map after each change. */
  readonly states: () => ReadonlyMap<string, PodTunnelState>;
  /**
   * What is wanted from now on, all of it, by address; after the pass that removed the destinations of those that are not
   * wanted any more.
   */
  want(tunnels: ReadonlyMap<string, PodTunnel>): void;
  /** What was prepared stays. */
  stop(): void;
}

/** Lookups at a time: enough that one that hangs does not hold all others up, few enough not to be in the runtime's way. */
const concurrency = 4;

/** Takes over what an earlier run recorded, at once: the first pass finds these pods prepared as they are. */
export function createPodTunnels(input: PodTunnelsInput): PodTunnels {
  const controller: Controller = {
    input,
    pods: new Map(),
    queue: [],
    running: 0,
    states: new Map(),
    isTelling: false,
    isAsked: false,
    isStopped: false,
    audit: undefined,
  };
  adoptRecords(controller);
  return {
    states: () => controller.states,
    want: (tunnels) => want(controller, tunnels),
    stop: () => {
      controller.isStopped = true;
      clearInterval(controller.audit);
      for (const pod of controller.pods.values()) {
        clearTimeout(pod.timer);
      }
    },
  };
}

interface Controller {
  readonly input: PodTunnelsInput;
  readonly pods: Map<string, Pod>;
  readonly queue: Pod[];
  running: number;
  states: ReadonlyMap<string, PodTunnelState>;
  /** The loop is about to be told. */
  isTelling: boolean;
  /** Before, all that is recorded may be wanted. */
  isAsked: boolean;
  isStopped: boolean;
  audit: NodeJS.Timeout | undefined;
}

function adoptRecords(controller: Controller): void {
  const { records, observer } = controller.input;
  try {
    const { records: found, illegible } = records.load();
    for (const path of illegible) {
      observer.troubled(
        'read the record of a prepared pod',
        new Error(`expected a record, found something else in ${path}`),
        0,
      );
    }
    for (const record of found) {
      controller.pods.set(record.tunnel.address, adoptPod(controller.input, record));
    }
  } catch (error) {
    observer.troubled('read the records of prepared pods', error, 0);
  }
  controller.states = statesOf(controller);
}

function want(controller: Controller, tunnels: ReadonlyMap<string, PodTunnel>): void {
  if (controller.isStopped) {
    return;
  }
  for (const [address, tunnel] of tunnels) {
    const pod = controller.pods.get(address) ?? newPod(address);
    controller.pods.set(address, pod);
    if (!isSameTunnel(pod.wanted, tunnel)) {
      pod.wanted = tunnel;
      begin(controller, pod);
    }
  }
  for (const pod of controller.pods.values()) {
    if (!tunnels.has(pod.address) && (pod.wanted !== undefined || pod.phase === 'idle')) {
      pod.wanted = undefined;
      begin(controller, pod);
    }
  }
  controller.isAsked = true;
  if (controller.pods.size > 0) {
    controller.audit ??= setInterval(() => audit(controller), controller.input.auditPeriodMs).unref();
  }
  tell(controller);
}

/** Looks again at what is wanted: another program may have undone it. */
function audit(controller: Controller): void {
  for (const pod of controller.pods.values()) {
    if (pod.phase === 'idle') {
      begin(controller, pod);
    }
  }
}

/** Has it done as soon as there is a place, whatever it was waiting for. */
function begin(controller: Controller, pod: Pod): void {
  if (pod.phase === 'running') {
    pod.isDirty = true;
    return;
  }
  clearTimeout(pod.timer);
  if (pod.phase !== 'queued') {
    pod.phase = 'queued';
    controller.queue.push(pod);
  }
  fill(controller);
}

function fill(controller: Controller): void {
  while (controller.running < concurrency && !controller.isStopped) {
    const pod = controller.queue.shift();
    if (pod === undefined) {
      return;
    }
    controller.running += 1;
    pod.phase = 'running';
    pod.isDirty = false;
    void run(controller, pod);
  }
}

async function run(controller: Controller, pod: Pod): Promise<void> {
  const isDone = await attemptPod(controller.input, pod);
  if (pod.wanted === undefined && pod.record === undefined && !pod.isDirty) {
    controller.pods.delete(pod.address);
  }
  controller.running -= 1;
  pod.phase = 'idle';
  if (!controller.isStopped) {
    if (pod.isDirty) {
      pod.attempts = 0;
      begin(controller, pod);
    } else if (!isDone) {
      pod.phase = 'waiting';
      pod.timer = setTimeout(() => begin(controller, pod), retryDelay(pod));
      pod.attempts += 1;
    }
    tell(controller);
    fill(controller);
  }
}

/** Tells the loop, after everything else that happens now. */
function tell(controller: Controller): void {
  if (controller.isTelling) {
    return;
  }
  controller.isTelling = true;
  queueMicrotask(() => {
    controller.isTelling = false;
    const states = statesOf(controller);
    if (!controller.isStopped && !isSameStates(controller.states, states)) {
      controller.states = states;
      controller.input.onChange();
    }
  });
}

/** A pod that is not wanted is none of the loop's business, but for those that nobody has asked about yet. */
function statesOf({ pods, isAsked }: Controller): ReadonlyMap<string, PodTunnelState> {
  const told = [...pods.values()].filter(({ wanted }) => wanted !== undefined || !isAsked);
  return new Map(told.map(({ address, state }) => [address, state]));
}

function isSameStates(one: ReadonlyMap<string, PodTunnelState>, other: ReadonlyMap<string, PodTunnelState>): boolean {
  return one.size === other.size && [...other].every(([address, state]) => one.get(address) === state);
}
