/** Interfaces of a node and their reverse-path checks in memory. */

import { errno, KernelError } from '../error.ts';
import type { ReversePathCheck, ReversePathPort } from '../ports.ts';

/** The fake, with what only tests do to it. */
export interface FakeReversePath extends ReversePathPort {
  /** `net.ipv4.conf.all.rp_filter`. */
  all: number;
  /** Adds an interface, or changes its own value; returns its number. */
  setLink(name: string, value: number): number;
  removeLink(name: string): void;
  /** Packets to the address leave by this interface. */
  route(address: string, name: string): void;
  /** By name. */
  valueOf(name: string): number | undefined;
}

export function fakeReversePath(): FakeReversePath {
  const links = new Map<string, { readonly index: number; value: number }>();
  const routes = new Map<string, string>();
  let made = 1;
  const check = (name: string | undefined): ReversePathCheck | undefined => {
    const link = name === undefined ? undefined : links.get(name);
    return name === undefined || link === undefined ? undefined : { ...link, name, all: fake.all };
  };
  const fake: FakeReversePath = {
    all: 0,
    towards: (address) => check(routes.get(address)),
    read: ({ index, name }) => (links.get(name)?.index === index ? check(name) : undefined),
    set: (index, value) => {
      const link = [...links.values()].find((each) => each.index === index);
      if (link === undefined) throw new KernelError('set rp_filter of an interface of this node', errno.ENODEV);
      link.value = value;
    },
    setLink: (name, value) => {
      const index = links.get(name)?.index ?? ++made;
      links.set(name, { index, value });
      return index;
    },
    removeLink: (name) => {
      links.delete(name);
    },
    route: (address, name) => {
      routes.set(address, name);
    },
    valueOf: (name) => links.get(name)?.value,
  };
  return fake;
}
