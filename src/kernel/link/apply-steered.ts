/** Makes and ends steered VIPs (`Vip`). */

import { familyOf } from '../../core/address.ts';
import { families } from '../../core/model/facts.ts';
import { isKernelError } from '../error.ts';
import { dumpVips } from './dump-vips.ts';
import { putSteeredRoute, putSteeredRouteRemoval } from './encode-vip.ts';
import { findLink } from './interface.ts';
import { ensureSteering, removeSteering } from './steering.ts';
import { readTunnelMtu } from './tunnel-mtu.ts';
import { addAddresses, removeRoute } from './vip-address.ts';
import { addressOf, isIPv6, type Numbered, perform, type Run, type Step, succeeded } from './vip-steps.ts';

/** Removes the route of a steered VIP. */
export const removeSteeredRoute: Step = {
  name: 'remove route of steered VIP',
  put: (batch, interfaceIndex, operation) => putSteeredRouteRemoval(batch, interfaceIndex, addressOf(operation)),
  tolerated: ['ESRCH', 'ENODEV'],
};

/** Whether an operation asks for a steered VIP. */
export function isSteered({ operation }: Numbered): boolean {
  return operation.kind === 'add-vip' && operation.vip.isSteered === true;
}

/** Whether it was one before; without a word of what is there it may have been. */
export function wasSteered({ operation }: Numbered): boolean {
  return operation.kind === 'remove-vip' && operation.before === undefined
    ? true
    : operation.before?.isSteered === true;
}

/** Adds steered VIPs: what steers, the route, the address, and only then no local route any more. */
export function addSteered(run: Run, adds: readonly Numbered[]): void {
  const { socket, steeringMark, mode } = run.target;
  if (adds.length === 0) return;
  const loopback = findLink(socket, 'lo')?.index ?? 1;
  for (const family of families) {
    const ofFamily = adds.filter(({ operation }) => familyOf(addressOf(operation)) === family);
    attempt(run, ofFamily, () => ensureSteering(socket, family, loopback, steeringMark));
  }
  const tunnelMtu = readTunnelMtu(socket);
  const steeredRoute: Step = {
    name: 'add route of steered VIP',
    put: (batch, interfaceIndex, operation) => {
      if (operation.kind !== 'add-vip') return;
      const { address, encapsulation = 'ipip' } = operation.vip;
      putSteeredRoute(batch, interfaceIndex, operation.vip, tunnelMtu(familyOf(address), encapsulation));
    },
    tolerated: [],
  };
  perform(run, succeeded(run, adds), [steeredRoute]);
  const addressed = succeeded(run, adds).filter((entry) => mode === 'address' || !isIPv6(entry));
  addAddresses(run, addressed);
  perform(run, succeeded(run, adds), [removeRoute]);
}

/** Steering ends with the last steered VIP of a family. */
export function endSteering(run: Run): void {
  const { socket, interfaceIndex, steeringMark } = run.target;
  const steered = dumpVips(socket, { interfaceIndex, steeringMark }).filter((vip) => vip.isSteered === true);
  for (const family of families) {
    if (!steered.some(({ address }) => familyOf(address) === family)) removeSteering(socket, family);
  }
}

/** What `work` throws befalls all these operations. */
function attempt(run: Run, entries: readonly Numbered[], work: () => void): void {
  if (entries.length === 0) return;
  try {
    work();
  } catch (error) {
    if (!isKernelError(error)) throw error;
    for (const { index } of entries) run.failures.set(index, { index, error });
  }
}
