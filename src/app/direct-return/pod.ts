/** A pod that is wanted, or was: how far it is, and the next attempt at it. */

import type { PodTunnel, PodTunnelState } from '../../core/model/pod-tunnel.ts';
import { failureOf } from './failure.ts';
import type { PodRecord } from './pod-record.ts';
import { type PodWork, preparePod, restorePod, standingVips } from './prepare-pod.ts';

export interface PodInput extends PodWork {
  readonly observer: PodTunnelObserver;
}

export interface PodTunnelObserver {
  prepared(tunnel: PodTunnel): void;
  restored(tunnel: PodTunnel, how: 'restored' | 'vanished'): void;
  /** Tried again after `retryInMs`; 0: at the next start. */
  troubled(what: string, error: unknown, retryInMs: number): void;
}

export interface Pod {
  readonly address: string;
  wanted: PodTunnel | undefined;
  record: PodRecord | undefined;
  /** The same object for as long as nothing changes. */
  state: PodTunnelState;
  /** Failed attempts in a row, for the back-off. */
  attempts: number;
  phase: 'idle' | 'waiting' | 'queued' | 'running';
  /** Something changed while it was running. */
  isDirty: boolean;
  timer: NodeJS.Timeout | undefined;
}

const firstRetryMs = 500;
const longestRetryMs = 30_000;

export function newPod(address: string): Pod {
  return {
    address,
    wanted: undefined,
    record: undefined,
    state: { kind: 'preparing' },
    attempts: 0,
    phase: 'idle',
    isDirty: false,
    timer: undefined,
  };
}

/** As an earlier run left it. */
export function adoptPod(input: PodInput, record: PodRecord): Pod {
  const pod = newPod(record.tunnel.address);
  pod.record = record;
  try {
    const vips = standingVips(input, record);
    if (vips !== undefined) {
      pod.state = { kind: 'prepared', vips };
    }
  } catch (error) {
    pod.state = failureOf(error);
  }
  return pod;
}

/** Prepares it, or restores it when it is not wanted. False when it is to be tried again. */
export async function attemptPod(input: PodInput, pod: Pod): Promise<boolean> {
  const { wanted } = pod;
  try {
    const isDone = wanted === undefined ? restore(input, pod) : await prepare(input, pod, wanted);
    pod.attempts = isDone ? 0 : pod.attempts;
    return isDone;
  } catch (error) {
    const what = wanted === undefined ? 'restore the network of pod' : 'prepare the network of pod';
    input.observer.troubled(`${what} ${(wanted ?? pod.record?.tunnel)?.pod ?? pod.address}`, error, retryDelay(pod));
    if (wanted !== undefined) {
      setState(pod, stateAfter(input, pod, error));
    }
    return false;
  }
}

/** How long to wait after an attempt that failed. */
export function retryDelay({ attempts }: Pod): number {
  return Math.min(longestRetryMs, firstRetryMs * 2 ** attempts);
}

export function isSameTunnel(one: PodTunnel | undefined, other: PodTunnel): boolean {
  return (
    one !== undefined &&
    one.pod === other.pod &&
    one.encapsulation === other.encapsulation &&
    one.vips.length === other.vips.length &&
    one.vips.every((vip, index) => vip === other.vips[index])
  );
}

async function prepare(input: PodInput, pod: Pod, wanted: PodTunnel): Promise<boolean> {
  const wasPrepared = pod.state.kind === 'prepared' && isSameTunnel(pod.record?.tunnel, wanted);
  const { state, record } = await preparePod({ ...input, records: keeping(input, pod) }, wanted, pod.record);
  setState(pod, state);
  if (record === undefined && pod.record !== undefined) {
    forget(input, pod, pod.record);
  }
  if (state.kind === 'prepared' && !wasPrepared) {
    input.observer.prepared(wanted);
  }
  return state.kind === 'prepared';
}

/** `pod.record` is what is on disk, also when what comes after it fails. */
function keeping({ records }: PodInput, pod: Pod): PodInput['records'] {
  return {
    ...records,
    save: (record) => {
      records.save(record);
      pod.record = record;
    },
  };
}

/** The pod that was recorded is not there any more. */
function forget(input: PodInput, pod: Pod, record: PodRecord): void {
  const how = restorePod(input, record);
  pod.record = undefined;
  input.observer.restored(record.tunnel, how);
}

/** What stood before still stands: one VIP that the kernel refuses takes no other away. */
function stateAfter(input: PodInput, { record }: Pod, error: unknown): PodTunnelState {
  try {
    const vips = record === undefined ? undefined : standingVips(input, record);
    return vips === undefined || vips.length === 0 ? failureOf(error) : { kind: 'prepared', vips };
  } catch {
    return failureOf(error);
  }
}

function setState(pod: Pod, state: PodTunnelState): void {
  if (JSON.stringify(pod.state) !== JSON.stringify(state)) {
    pod.state = state;
  }
}

function restore(input: PodInput, pod: Pod): boolean {
  const { record } = pod;
  if (record !== undefined) {
    const how = restorePod(input, record);
    pod.record = undefined;
    input.observer.restored(record.tunnel, how);
  }
  return true;
}
