/** What the kernel will not take as it is: it is left out, and its Service told, until it changes. */

import { resourceKeyOf } from '../../core/actual.ts';
import { type Desired, refusalsOf } from '../../core/desired.ts';
import { findDestination } from '../../core/destinations.ts';
import { destinationKey, quarantineKey, serverQuarantineKey } from '../../core/keys.ts';
import type { Refusal } from '../../core/model/reason.ts';
import type { DesiredVirtualServer } from '../../core/model/resource.ts';
import type { Destination } from '../../core/model/virtual-server.ts';
import type { FailedOperation } from '../../kernel/execution.ts';

/** One refused virtual server or destination. */
export interface Quarantined {
  /** The resource key of the virtual server. */
  readonly server: string;
  /** Undefined when the virtual server itself is refused. */
  readonly destination: Destination | undefined;
  readonly refusal: Refusal;
}

export interface Quarantine {
  /** By Service (`namespace/name`) and key. */
  readonly byService: ReadonlyMap<string, ReadonlyMap<string, Quarantined>>;
}

export interface QuarantineStore extends Quarantine {
  /** `quarantineKey`s and `serverQuarantineKey`s. */
  readonly keys: Set<string>;
  readonly byService: Map<string, Map<string, Quarantined>>;
}

export function emptyQuarantine(): QuarantineStore {
  return { keys: new Set(), byService: new Map() };
}

/** Everything refused of a Service: what compilation refused, frontends lost to others, what the kernel refused. */
export function refusalsIn(
  view: { readonly desired: Desired; readonly quarantined: Quarantine },
  service: string,
): readonly Refusal[] {
  const own = view.quarantined.byService.get(service);
  const refusals = refusalsOf(view.desired, service);
  return own === undefined ? refusals : [...refusals, ...[...own.values()].map(({ refusal }) => refusal)];
}

/** Leaves out what failed for good. False when it may be tried again. */
export function quarantine(quarantined: QuarantineStore, desired: Desired, failure: FailedOperation): boolean {
  const { operation, remedy, error } = failure;
  if (remedy !== 'quarantine') {
    return false;
  }
  const server = resourceKeyOf(operation);
  const destination = 'destination' in operation ? operation.destination : undefined;
  const wanted = wantedServer(desired, server);
  const key = wanted === undefined ? undefined : keyOf(wanted, destination);
  if (wanted === undefined || key === undefined) {
    return false;
  }
  const refusal: Refusal = {
    reason: 'kernel-refused',
    subject: destination === undefined ? server : `${destinationKey(destination)} of ${server}`,
    found: error.message,
    expected: 'settings that the kernel takes; they are tried again when they change',
  };
  const own = quarantined.byService.get(wanted.service) ?? new Map<string, Quarantined>();
  quarantined.byService.set(wanted.service, own.set(key, { server, destination, refusal }));
  quarantined.keys.add(key);
  return true;
}

/** Forgets what the Service does not want any more as it was refused. */
export function releaseChanged(quarantined: QuarantineStore, desired: Desired, service: string): void {
  const own = quarantined.byService.get(service);
  for (const [key, { server, destination }] of own ?? []) {
    const wanted = wantedServer(desired, server);
    if (wanted?.service !== service || keyOf(wanted, destination) !== key) {
      own?.delete(key);
      quarantined.keys.delete(key);
    }
  }
  if (own?.size === 0) {
    quarantined.byService.delete(service);
  }
}

/** Forgets all: the node looks different, and what was refused may be taken now. */
export function releaseAll(quarantined: QuarantineStore): void {
  quarantined.keys.clear();
  quarantined.byService.clear();
}

function wantedServer(desired: Desired, key: string): DesiredVirtualServer | undefined {
  const resource = desired.resources.get(key);
  return resource?.kind === 'virtual-server' ? resource.value : undefined;
}

/** The key as it is wanted now; undefined when the destination is not. */
function keyOf(wanted: DesiredVirtualServer, destination: Destination | undefined): string | undefined {
  if (destination === undefined) {
    return serverQuarantineKey(wanted.server);
  }
  const current = findDestination(wanted.destinations, destinationKey(destination));
  return current === undefined ? undefined : quarantineKey(wanted.server.identity, current);
}
