/**
 * The VIP interface and the node's addresses in memory, as strict as the kernel: a source must be an address of the
 * node (EINVAL), nothing is added without the interface (ENODEV), no IPv6 route while it is down (ENETDOWN).
 */

import { vipKey } from '../../core/actual.ts';
import { familyOf } from '../../core/address.ts';
import type { Family } from '../../core/model/facts.ts';
import type { VipOperation } from '../../core/model/operation.ts';
import type { VipMode, VipState } from '../../core/model/vip.ts';
import { errno, KernelError } from '../error.ts';
import type { AddressListener, ApplyResult, LinkPort, NodeAddress, OperationFailure } from '../ports.ts';
import { createFaults, type Faults, repliesLost } from './faults.ts';

export interface FakeLinkOptions {
  readonly mode?: VipMode;
  /** The node's addresses, all on interface `eth0`, with a default route in their families; none unless given. */
  readonly addresses?: readonly string[];
  /** The interface is there from the start, made by somebody else. */
  readonly isForeign?: boolean;
}

/** The fake, with what only tests do to it. */
export interface FakeLink extends LinkPort {
  readonly failNext: Faults<VipOperation>['failNext'];
  /** The next `apply` does its work and brings back that nothing is known of it. */
  loseNextReplies(): void;
  /** Operations given to `apply` so far, refused ones included. */
  readonly writes: number;
  /** `ip address add` on the VIP interface by somebody else, with the kernel's own route. */
  addAddress(address: string): void;
  /** `ip address delete` on the VIP interface by somebody else. */
  deleteAddress(address: string): void;
  /** `ip route delete` of sluice's route by somebody else. */
  deleteRoute(address: string): void;
  /** Replaces the node's addresses and tells listeners. */
  setNodeAddresses(addresses: readonly string[]): void;
}

export function fakeLink(options: FakeLinkOptions = {}): FakeLink {
  const node: FakeNode = {
    mode: options.mode ?? 'address',
    interface: options.isForeign === true ? 'foreign' : 'absent',
    nodeAddresses: options.addresses ?? [],
    addresses: new Set(),
    routes: new Map(),
    kernelRoutes: new Set(),
    steered: new Set(),
    faults: createFaults(),
    listeners: new Set(),
    repliesLost: false,
    writes: 0,
  };
  return {
    ...port(node),
    ...handling(node),
    get writes() {
      return node.writes;
    },
  };
}

interface FakeNode {
  readonly mode: VipMode;
  interface: 'absent' | 'ours' | 'foreign';
  nodeAddresses: readonly string[];
  /** On the VIP interface. */
  readonly addresses: Set<string>;
  /** Sluice's routes and their sources. */
  readonly routes: Map<string, string | undefined>;
  /** Addresses that still have the route that the kernel made for them. */
  readonly kernelRoutes: Set<string>;
  /** Addresses of steered VIPs: their route is an ordinary one. */
  readonly steered: Set<string>;
  readonly faults: Faults<VipOperation>;
  readonly listeners: Set<AddressListener>;
  repliesLost: boolean;
  writes: number;
}

function port(node: FakeNode): LinkPort {
  return {
    ensureInterface: () => {
      const created = node.interface === 'absent';
      if (created) node.interface = 'ours';
      return { created };
    },
    dumpVips: () => dumpVips(node),
    readVips: function* () {
      yield;
      return new Map(dumpVips(node).map((vip) => [vipKey(vip.address), vip]));
    },
    apply: (operations) => applyAll(node, operations),
    removeInterface: () => removeInterface(node),
    nodeAddresses: () => node.nodeAddresses.map(nodeAddress),
    readNodeAddresses: function* () {
      yield;
      return node.nodeAddresses.map(nodeAddress);
    },
    defaultSource: (family: Family) => node.nodeAddresses.find((address) => familyOf(address) === family),
    sourceTowards: (address) =>
      node.nodeAddresses.find((own) => own === address) ??
      node.routes.get(address) ??
      node.nodeAddresses.find((own) => familyOf(own) === familyOf(address)),
    interfaceTowards: (address) =>
      node.nodeAddresses.some((own) => familyOf(own) === familyOf(address)) ? 'eth0' : undefined,
    onAddressChange: (listener) => {
      node.listeners.add(listener);
      return () => {
        node.listeners.delete(listener);
      };
    },
    close: () => node.listeners.clear(),
  };
}

function handling(node: FakeNode): Omit<FakeLink, keyof LinkPort | 'writes'> {
  return {
    failNext: node.faults.failNext,
    loseNextReplies: () => {
      node.repliesLost = true;
    },
    addAddress: (address) => addAddress(node, address),
    deleteAddress: (address) => deleteAddress(node, address),
    deleteRoute: (address) => {
      node.routes.delete(address);
    },
    setNodeAddresses: (addresses) => {
      const gone = new Set(node.nodeAddresses.filter((address) => !addresses.includes(address)));
      node.nodeAddresses = addresses;
      for (const listener of node.listeners) listener(gone);
    },
  };
}

function applyAll(node: FakeNode, operations: readonly VipOperation[]): ApplyResult {
  const failures: OperationFailure[] = [];
  for (const [index, operation] of operations.entries()) {
    node.writes += 1;
    const refused = node.faults.refusal(operation, () => change(node, operation));
    const address = operation.kind === 'add-vip' ? operation.vip.address : operation.address;
    if (refused !== 0) failures.push({ index, error: new KernelError(`${operation.kind} ${address}`, refused) });
  }
  const unknown = node.repliesLost && operations.length > 0;
  node.repliesLost &&= !unknown;
  return unknown ? repliesLost(operations) : { failures, unknown };
}

function change(node: FakeNode, operation: VipOperation): number {
  if (operation.kind === 'remove-vip') {
    deleteAddress(node, operation.address);
    node.routes.delete(operation.address);
    node.steered.delete(operation.address);
    return 0;
  }
  const { address, source, isSteered } = operation.vip;
  if (node.interface === 'absent') return errno.ENODEV;
  if (source !== undefined && !node.nodeAddresses.includes(source) && !node.addresses.has(source)) return errno.EINVAL;
  node.routes.set(address, source);
  if (isSteered === true) node.steered.add(address);
  else node.steered.delete(address);
  if (node.mode === 'address' || (isSteered === true && familyOf(address) === 'IPv4')) {
    node.addresses.add(address);
    node.kernelRoutes.delete(address);
  }
  return 0;
}

function addAddress(node: FakeNode, address: string): void {
  if (node.interface === 'absent') throw new KernelError(`add address ${address}`, errno.ENODEV);
  node.addresses.add(address);
  node.kernelRoutes.add(address);
}

function deleteAddress(node: FakeNode, address: string): void {
  node.kernelRoutes.delete(address);
  if (!node.addresses.delete(address)) return;
  const isLast = familyOf(address) === 'IPv4' && ![...node.addresses].some((each) => familyOf(each) === 'IPv4');
  if (!isLast) return;
  // With the last IPv4 address the kernel flushes the interface's IPv4 routes (fib_inetaddr_event, fib_disable_ip).
  for (const routed of node.routes.keys()) if (familyOf(routed) === 'IPv4') node.routes.delete(routed);
}

function state(node: FakeNode, address: string): VipState {
  return {
    address,
    onInterface: node.addresses.has(address),
    routed: node.routes.has(address),
    source: node.kernelRoutes.has(address) ? kernelSource(address) : node.routes.get(address),
    ...(node.steered.has(address) ? { isSteered: true } : {}),
  };
}

/** The kernel's own route, which has the metric 0, stands first. It names a source in IPv4 alone: the address itself. */
function kernelSource(address: string): string | undefined {
  return familyOf(address) === 'IPv4' ? address : undefined;
}

function dumpVips(node: FakeNode): readonly VipState[] {
  return [...new Set([...node.addresses, ...node.routes.keys()])].map((address) => state(node, address));
}

function removeInterface(node: FakeNode): ReturnType<LinkPort['removeInterface']> {
  if (node.interface === 'absent') return 'absent';
  if (node.interface === 'foreign') return 'not-ours';
  if (node.addresses.size > 0 || node.routes.size > 0) return 'in-use';
  node.interface = 'absent';
  return 'removed';
}

function nodeAddress(address: string): NodeAddress {
  return { address, interface: 'eth0', prefixLength: familyOf(address) === 'IPv4' ? 24 : 64, scope: 'global' };
}
