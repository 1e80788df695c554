/** The address of a VIP on the VIP interface, without the route that the kernel makes for it. */

import { putKernelRouteRemoval, putVipAddress, putVipRouteRemoval } from './encode-vip.ts';
import { pause } from './pause.ts';
import { addressOf, isIPv6, type Numbered, perform, type Refused, type Run, type Step } from './vip-steps.ts';

/** Puts addresses on the interface. */
export function addAddresses(run: Run, entries: readonly Numbered[]): void {
  removeLateRoutes(run, perform(run, entries, addressSteps));
}

/** Removes the kernel's own route to an address. */
export const removeKernelRoute: Step = {
  name: 'remove the kernel’s route of VIP',
  put: (batch, interfaceIndex, operation) => putKernelRouteRemoval(batch, interfaceIndex, addressOf(operation)),
  tolerated: ['ESRCH'],
};

const addressSteps: readonly Step[] = [
  {
    name: 'add address of VIP',
    put: (batch, interfaceIndex, operation) => putVipAddress(batch, interfaceIndex, addressOf(operation)),
    tolerated: ['EEXIST'],
  },
  removeKernelRoute,
];

/** Removes sluice's local route. */
export const removeRoute: Step = {
  name: 'remove route of VIP',
  put: (batch, interfaceIndex, operation) => putVipRouteRemoval(batch, interfaceIndex, addressOf(operation)),
  tolerated: ['ESRCH', 'ENODEV'],
};

/** How often the kernel's routes are looked for without one being found, and the longest pause before each, in ms. */
const maximumIdleAttempts = 25;
const longestPause = 20;

/** Routes of addresses just added that the kernel had not made yet. An audit finds those given up here. */
function removeLateRoutes(run: Run, refused: readonly Refused[]): void {
  const existing = new Set(refused.filter(({ code }) => code === 'EEXIST').map(({ entry }) => entry));
  let late = refused.filter(({ code, entry }) => code === 'ESRCH' && isIPv6(entry) && !existing.has(entry));
  for (let idle = 0; late.length > 0 && idle < maximumIdleAttempts && !run.unknown; ) {
    pause(run.target.socket, Math.min(idle + 1, longestPause));
    const before = late.length;
    late = perform(
      run,
      late.map(({ entry }) => entry),
      [removeKernelRoute],
    ).filter(({ code }) => code === 'ESRCH');
    idle = late.length < before ? 0 : idle + 1;
  }
}
