import type { Family, Protocol } from './facts.ts';

/** What identifies a virtual server in the kernel. */
export type VirtualServerIdentity =
  | { readonly kind: 'address'; readonly protocol: Protocol; readonly address: string; readonly port: number }
  | { readonly kind: 'fwmark'; readonly family: Family; readonly mark: number };

/** The kernel's schedulers (net/netfilter/ipvs/ip_vs_*.c). A name outside this list never reaches the kernel. */
export const schedulers = [
  'rr',
  'wrr',
  'lc',
  'wlc',
  'lblc',
  'lblcr',
  'dh',
  'sh',
  'sed',
  'nq',
  'fo',
  'ovf',
  'mh',
  'twos',
] as const;

export type Scheduler = (typeof schedulers)[number];

/** Virtual server flags of include/uapi/linux/ip_vs.h that sluice sets; the kernel's own HASHED (2) is never among them. */
export const virtualServerFlags = {
  persistent: 0x1,
  onePacket: 0x4,
  schedulerFlag1: 0x8,
  schedulerFlag2: 0x10,
  schedulerFlag3: 0x20,
} as const;

export interface VirtualServer {
  readonly identity: VirtualServerIdentity;
  /** Any name when read from the kernel, one of `schedulers` when written. */
  readonly scheduler: string;
  /** Bits of `virtualServerFlags`. */
  readonly flags: number;
  /** Persistence timeout in seconds; 0 when not persistent. */
  readonly timeoutSeconds: number;
  /** Persistence granularity as a prefix length: 32 or 128 unless told otherwise. */
  readonly prefixLength: number;
}

/** `tunnel` wraps in IP, `gue` in UDP besides (Generic UDP Encapsulation). */
export type ForwardingMethod = 'masquerade' | 'localnode' | 'tunnel' | 'gue' | 'route' | 'bypass';

export interface Destination {
  readonly address: string;
  readonly port: number;
  /** 0 to 65535. 0 takes no new connections. */
  readonly weight: number;
  readonly forwarding: ForwardingMethod;
}

/** Of one virtual server, in the order of their keys (`destinationKey`), each key once. See `destinations.ts`. */
export type Destinations = readonly Destination[];

/** A destination with the kernel's own counts. */
export interface DestinationState extends Destination {
  readonly activeConnections: number;
  readonly inactiveConnections: number;
}

export interface VirtualServerState {
  readonly server: VirtualServer;
  readonly destinations: readonly DestinationState[];
}
