/** What `sluice run` would still have to do before anything of another proxy may go. */

import { otherProxies, proxyInterface } from '../../core/leftovers/names.ts';
import type { Config } from '../config/config.ts';
import { closeKernel, openKernel } from '../kernel.ts';
import { preview } from '../preview.ts';
import type { LeftoverPorts } from './leftover-ports.ts';

/**
 * The number of operations. A VIP that is also on the other proxy's interface counts as standing when sluice's own address
 * and route are there: the route of the other interface is in force for as long as that interface is there, whatever
 * sluice does. Rejects with an Error or KernelError.
 */
export async function outstandingOperations(config: Config, { interfaces }: LeftoverPorts): Promise<number> {
  const { services, counts } = await preview(config);
  const others = otherProxies.map((proxy) => proxyInterface[proxy]).filter((name) => name !== config.vipInterface);
  const shadowed = new Set(others.flatMap((name) => interfaces.addresses(name) ?? []));
  const standing = standingVips(config);
  const settled = services
    .flatMap(({ changes }) => changes)
    .filter(({ verb, what }) => verb === 'add' && isSettled(what, shadowed, standing));
  return counts.operations - settled.length;
}

function isSettled(what: string, shadowed: ReadonlySet<string>, standing: ReadonlySet<string>): boolean {
  const address = what.startsWith('VIP ') ? what.slice('VIP '.length) : '';
  return shadowed.has(address) && standing.has(address);
}

function standingVips(config: Config): ReadonlySet<string> {
  const ports = openKernel(config);
  try {
    const whole = ports.link.dumpVips().filter((vip) => vip.routed && (config.vipMode === 'route' || vip.onInterface));
    return new Set(whole.map(({ address }) => address));
  } finally {
    closeKernel(ports);
  }
}
