/**
 * Carries VIP operations out. Whatever state a VIP was in, it is never without a local route on the way:
 *
 * - add: sluice's route; then the address; then the removal of the route that the kernel made for the address. When
 *   the route is refused (its source is no address of this node) the VIP is left as it was. The kernel makes the route
 *   of an IPv6 address later, from a work queue (addrconf_dad_work in net/ipv6/addrconf.c), so its removal is repeated
 *   until it was there.
 * - remove: the address, whose own route the kernel takes with it; then sluice's route; then what others left.
 *
 * A steered VIP (`Vip`) has an ordinary route in place of the local one: what steers comes first, then the route and the
 * address, and a local route that was there goes last. Its address is on the interface in route mode too: without one the
 * kernel sends no ICMP in its name (ip_route_output_key_hash_rcu asks __ip_dev_find).
 */

import { familyOf } from '../../core/address.ts';
import type { VipOperation } from '../../core/model/operation.ts';
import type { VipState } from '../../core/model/vip.ts';
import { resetBatch } from '../netlink/batch.ts';
import { transact } from '../netlink/transact.ts';
import type { ApplyResult } from '../ports.ts';
import { addSteered, endSteering, isSteered, removeSteeredRoute, wasSteered } from './apply-steered.ts';
import { dumpAddresses, dumpVips } from './dump-vips.ts';
import { putVipAddressRemoval, putVipRoute } from './encode-vip.ts';
import { addAddresses, removeKernelRoute, removeRoute } from './vip-address.ts';
import { addressOf, type Numbered, perform, type Run, type Step, succeeded, type VipTarget } from './vip-steps.ts';

/** Applies operations in order of kind: routes, addresses, removals. A failing one does not stop the rest. */
export function applyVips(target: VipTarget, operations: readonly VipOperation[]): ApplyResult {
  const run: Run = { target, failures: new Map(), unknown: false };
  const order = lastOfEachAddress(operations);
  const adds = order.filter(({ operation }) => operation.kind === 'add-vip');
  const steered = adds.filter(isSteered);
  const local = adds.filter((entry) => !isSteered(entry));
  perform(run, local, routeSteps);
  if (target.mode === 'address') {
    addAddresses(run, succeeded(run, local));
  }
  perform(run, succeeded(run, local).filter(wasSteered), [removeSteeredRoute]);
  addSteered(run, steered);
  const removals = order.filter(({ operation }) => operation.kind === 'remove-vip');
  removeVips(run, removals);
  const left = [...local, ...removals].filter(wasSteered);
  if (left.length > 0) endSteering(run);
  return { failures: [...run.failures.values()].sort((a, b) => a.index - b.index), unknown: run.unknown };
}

const routeSteps: readonly Step[] = [
  {
    name: 'add route of VIP',
    put: (batch, interfaceIndex, operation) => {
      if (operation.kind === 'add-vip') putVipRoute(batch, interfaceIndex, operation.vip);
    },
    tolerated: [],
  },
];

const removalSteps: readonly Step[] = [
  {
    name: 'remove address of VIP',
    put: (batch, interfaceIndex, operation) => putVipAddressRemoval(batch, interfaceIndex, addressOf(operation)),
    // EAFNOSUPPORT and ENODEV: IPv6 is off on the interface or the node, so nothing of IPv6 is there.
    tolerated: ['EADDRNOTAVAIL', 'ENODEV', 'EAFNOSUPPORT'],
  },
  removeRoute,
  { ...removeKernelRoute, tolerated: ['ESRCH', 'ENODEV'] },
];

/** Adds go before removals here; of several operations on one address only the last one counts, as if in order. */
function lastOfEachAddress(operations: readonly VipOperation[]): readonly Numbered[] {
  const last = new Map<string, Numbered>();
  for (const [index, operation] of operations.entries()) last.set(addressOf(operation), { index, operation });
  return [...last.values()];
}

/**
 * In route mode a VIP has an address only if it was made in address mode. What is there is looked up, because a refusal
 * for each address that is not would cost more than the removal of its route.
 */
function removeVips(run: Run, removals: readonly Numbered[]): void {
  const { socket, interfaceIndex, mode } = run.target;
  perform(run, removals.filter(wasSteered), [removeSteeredRoute]);
  if (mode === 'address' || removals.length === 0) {
    perform(run, removals, removalSteps);
    return;
  }
  const there = dumpAddresses(socket, (index) => index === interfaceIndex);
  const addressed = new Set(there.map(({ address }) => address));
  const hasAddress = ({ operation }: Numbered): boolean => addressed.has(addressOf(operation));
  const leaving = removals.filter(hasAddress);
  const staying = leaving.length === 0 ? [] : routesThatStay(run, removals);
  perform(run, leaving, removalSteps);
  putBack(run, staying);
  perform(
    run,
    removals.filter((entry) => !hasAddress(entry)),
    [removeRoute],
  );
}

function routesThatStay(run: Run, removals: readonly Numbered[]): readonly VipState[] {
  const { socket, interfaceIndex, steeringMark } = run.target;
  const going = new Set(removals.map(({ operation }) => addressOf(operation)));
  return dumpVips(socket, { interfaceIndex, steeringMark }).filter(
    ({ address, routed }) => routed && !going.has(address),
  );
}

/**
 * With its last IPv4 address an interface loses its IPv4 routes (fib_inetaddr_event, fib_disable_ip): they are put back at
 * once. An audit finds what is missing after that.
 */
function putBack(run: Run, vips: readonly VipState[]): void {
  const { batch, socket, interfaceIndex } = run.target;
  const ordinary = vips.filter((vip) => vip.isSteered !== true && familyOf(vip.address) === 'IPv4');
  if (ordinary.length === 0) return;
  resetBatch(batch);
  for (const vip of ordinary) putVipRoute(batch, interfaceIndex, vip);
  transact(socket, batch);
}
