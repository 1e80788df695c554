/**
 * The node's end of a pod's link. What a pod answers directly comes in there with a VIP as its source, and the VIP is not
 * routed there: a strict reverse-path check drops it (fib_validate_source in net/ipv4/fib_frontend.c). IPv6 has none.
 */

import { familyOf } from '../../core/address.ts';
import type { PodTunnel } from '../../core/model/pod-tunnel.ts';
import { isKernelError } from '../../kernel/error.ts';
import type { ReversePathCheck, ReversePathPort } from '../../kernel/ports.ts';
import type { HostLink, PodRecord } from './pod-record.ts';
import type { PodRecords } from './pod-records.ts';

export interface HostLinkWork {
  readonly reversePath: ReversePathPort;
  readonly records: PodRecords;
}

const [strict, loose] = [1, 2];

/**
 * The interface that has to be loose for this pod, as it was before sluice came to it. Pods behind one bridge share it.
 * Undefined where it is loose by itself. Throws KernelError.
 */
export function hostLinkOf(
  { reversePath, records }: HostLinkWork,
  { address }: PodTunnel,
  recorded: PodRecord | undefined,
): HostLink | undefined {
  if (familyOf(address) === 'IPv6') {
    return undefined;
  }
  const check = reversePath.towards(address);
  if (check === undefined) {
    return recorded?.hostLink;
  }
  const known = [recorded, ...records.load().records].map((record) => record?.hostLink);
  const shared = known.find((link) => link !== undefined && isSameLink(link, check));
  const { index, name, value } = check;
  return shared ?? (isStrict(check) ? { index, name, rpFilter: value } : undefined);
}

/** Lets answers in; the record is written before. Throws KernelError. */
export function loosen({ reversePath }: HostLinkWork, link: HostLink | undefined): void {
  const check = link === undefined ? undefined : reversePath.read(link);
  if (check !== undefined && isStrict(check)) {
    reversePath.set(check.index, loose);
  }
}

/** Makes the check what it was, unless another pod needs it or another hand changed it. Throws KernelError. */
export function restoreHostLink({ reversePath, records }: HostLinkWork, { tunnel, hostLink }: PodRecord): void {
  if (hostLink === undefined) {
    return;
  }
  const others = records.load().records.filter((record) => record.tunnel.address !== tunnel.address);
  if (others.some((other) => other.hostLink !== undefined && isSameLink(other.hostLink, hostLink))) {
    return;
  }
  const check = reversePath.read(hostLink);
  if (check?.value !== loose) {
    return;
  }
  try {
    reversePath.set(check.index, hostLink.rpFilter);
  } catch (error) {
    // It goes with its pod.
    if (!isKernelError(error) || error.code !== 'ENODEV') {
      throw error;
    }
  }
}

/** The larger one counts (IN_DEV_RPFILTER in include/linux/inetdevice.h). */
function isStrict({ value, all }: ReversePathCheck): boolean {
  return Math.max(value, all) === strict;
}

type Numbered = Pick<HostLink, 'index' | 'name'>;

export function isSameLink(one: Numbered, other: Numbered): boolean {
  return one.index === other.index && one.name === other.name;
}
