/** One attempt at a pod: to prepare it, or to make it what it was. */

import type { PodTunnel, PodTunnelState } from '../../core/model/pod-tunnel.ts';
import type { ContainerRuntimePort } from '../../cri/container-runtime.ts';
import { isKernelError } from '../../kernel/error.ts';
import type { PodNetworkPort, PodTunnelReading } from '../../kernel/ports.ts';
import type { PodTunnelFailure } from './failure.ts';
import { type HostLinkWork, hostLinkOf, isSameLink, loosen, restoreHostLink } from './host-link.ts';
import { locatePod, type Places, type PodPlace } from './locate-pod.ts';
import { formatRecord, type PodRecord } from './pod-record.ts';

export interface PodWork extends Places, HostLinkWork {
  readonly network: PodNetworkPort;
  /** Opens the runtime when a pod is looked for, or says why there is none. */
  readonly runtime: () => Promise<ContainerRuntimePort | PodTunnelFailure>;
}

export type Prepared =
  | { readonly state: PodTunnelFailure; readonly record: PodRecord | undefined }
  | { readonly state: Extract<PodTunnelState, { readonly kind: 'prepared' }>; readonly record: PodRecord };

/**
 * The record is written before anything is changed: whatever happens from then on, it says what to restore. Rejects with
 * what the runtime, the kernel and the folder of records say; the record is then the one on disk.
 */
export async function preparePod(work: PodWork, tunnel: PodTunnel, recorded: PodRecord | undefined): Promise<Prepared> {
  const known = recorded !== undefined && isThere(work, recorded) ? recorded : undefined;
  const place = known?.tunnel.pod === tunnel.pod ? known : await find(work, tunnel);
  if ('kind' in place) {
    return { state: place, record: known };
  }
  const isSame = known?.namespace.path === place.namespace.path;
  if (known !== undefined && !isSame) {
    restorePod(work, known);
  }
  const record = written(work, { place, tunnel, known: isSame ? known : undefined, recorded });
  releaseHostLink(work, recorded, record);
  loosen(work, record.hostLink);
  work.network.ensure(record.namespace, tunnel, record.before);
  // VIPs that are wanted no longer went with that.
  return { state: { kind: 'prepared', vips: tunnel.vips }, record: saved(work, { ...record, tunnel }, record) };
}

/** The path of a namespace is never given twice by containerd and CRI-O; the number of one is, at once. */
function isThere({ network }: Pick<PodWork, 'network'>, { namespace }: PodRecord): boolean {
  return network.identify(namespace.path) === namespace.identity;
}

async function find(work: PodWork, tunnel: PodTunnel): Promise<PodPlace | PodTunnelFailure> {
  const runtime = await work.runtime();
  return 'kind' in runtime ? runtime : locatePod(runtime, tunnel, work);
}

interface Intent {
  readonly place: PodPlace;
  readonly tunnel: PodTunnel;
  readonly known: PodRecord | undefined;
  /** Also of a pod that is not there any more. */
  readonly recorded: PodRecord | undefined;
}

function written(work: PodWork, { place, tunnel, known, recorded }: Intent): PodRecord {
  const { sandbox, namespace } = place;
  const before = known?.before ?? withoutOurs(work.network.read(namespace, tunnel));
  // GUE came to be asked for after the pod was prepared without it.
  const gue = before.gue ?? (tunnel.encapsulation === 'gue' ? work.network.read(namespace, tunnel).gue : undefined);
  const vips = [...new Set([...(known?.tunnel.vips ?? []), ...tunnel.vips])].sort();
  const hostLink = hostLinkOf(work, tunnel, recorded);
  const record = { tunnel: { ...tunnel, vips }, sandbox, namespace, before: { ...before, gue }, hostLink };
  return saved(work, record, known);
}

/** A device of sluice's without a record: the record was lost, and nothing was there before. */
function withoutOurs(reading: PodTunnelReading): PodTunnelReading {
  return reading.tunnel?.isOurs === true ? { ...reading, tunnel: undefined } : reading;
}

/** An audit that finds everything as it was writes nothing. */
function saved({ records }: PodWork, record: PodRecord, there: PodRecord | undefined): PodRecord {
  if (there === undefined || formatRecord(there) !== formatRecord(record)) {
    records.save(record);
  }
  return record;
}

/** The pod is reached another way than it was. */
function releaseHostLink(work: PodWork, recorded: PodRecord | undefined, { hostLink }: PodRecord): void {
  const before = recorded?.hostLink;
  if (recorded !== undefined && before !== undefined && (hostLink === undefined || !isSameLink(before, hostLink))) {
    restoreHostLink(work, recorded);
  }
}

export type RestoreWork = HostLinkWork & Pick<PodWork, 'network'>;

/**
 * Makes the pod what it was before and forgets it; one that vanished is just forgotten. Throws KernelError, and what the
 * folder of records says.
 */
export function restorePod(work: RestoreWork, record: PodRecord): 'restored' | 'vanished' {
  const { namespace, tunnel, before } = record;
  const isRestored = attemptRestore(() => {
    if (!isThere(work, record)) {
      return false;
    }
    work.network.restore(namespace, tunnel, before);
    return true;
  });
  // The node's end may outlive the pod: a bridge.
  restoreHostLink(work, record);
  work.records.remove(tunnel.address);
  return isRestored ? 'restored' : 'vanished';
}

/** The pod may go at any moment. */
function attemptRestore(restore: () => boolean): boolean {
  try {
    return restore();
  } catch (error) {
    if (isKernelError(error) && (error.code === 'ENOENT' || error.code === 'ESTALE')) {
      return false;
    }
    throw error;
  }
}

/** The VIPs of a record that stand; undefined when the pod is not there any more. Throws KernelError. */
export function standingVips(work: Pick<PodWork, 'network'>, record: PodRecord): readonly string[] | undefined {
  if (!isThere(work, record)) {
    return undefined;
  }
  const { tunnel } = record;
  const { tunnel: found } = work.network.read(record.namespace, tunnel);
  return found?.isUp === true ? tunnel.vips.filter((vip) => found.vips.includes(vip)) : [];
}
