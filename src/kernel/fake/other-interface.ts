/** Interfaces and policy routing of other service proxies in memory. */

import { errno, KernelError } from '../error.ts';
import { isLinkLocal } from '../link/decode-address.ts';
import type { OtherInterfacePort } from '../link/open-other-interface.ts';

/** The fake, with what only other programs do to it. */
export interface FakeOtherInterface extends OtherInterfacePort {
  addLink(name: string, kind: 'dummy' | 'bridge', addresses: readonly string[]): void;
  /** kube-router's rules and routes, as `routing` tells them. */
  addRouting(...lines: readonly string[]): void;
}

export function fakeOtherInterface(): FakeOtherInterface {
  const links = new Map<string, { readonly kind: 'dummy' | 'bridge'; readonly addresses: readonly string[] }>();
  const lines: string[] = [];
  const find = (name: string): readonly string[] | undefined => {
    const link = links.get(name);
    return link?.kind === 'dummy' ? link.addresses : undefined;
  };
  return {
    addresses: (name) => find(name)?.filter((address) => !isLinkLocal(address)),
    addAddresses: (name, addresses) => {
      const before = find(name);
      if (before === undefined) throw new KernelError(`put addresses on ${name}`, errno.ENODEV);
      links.set(name, { kind: 'dummy', addresses: [...new Set([...before, ...addresses])] });
    },
    remove: (name) => {
      if (find(name) === undefined) return 'absent';
      links.delete(name);
      return 'removed';
    },
    routing: () => [...lines],
    removeRouting: () => {
      lines.length = 0;
    },
    close: () => undefined,
    addLink: (name, kind, addresses) => {
      links.set(name, { kind, addresses });
    },
    addRouting: (...added) => {
      lines.push(...added);
    },
  };
}
