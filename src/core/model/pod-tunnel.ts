import type { Reason } from './reason.ts';

/** How packets for a pod are wrapped: IP in IP (IPv6 in IPv6), or the same inside UDP (Generic UDP Encapsulation). */
export const encapsulations = ['ipip', 'gue'] as const;

/** The UDP port of Generic UDP Encapsulation (IANA "gue"), at which pods unwrap it. */
export const guePort = 6080;

export type Encapsulation = (typeof encapsulations)[number];

/** What a pod of this node needs to answer for VIPs itself: the far end of a tunnel, and the VIPs. */
export interface PodTunnel {
  /** The pod's own address, where tunnelled packets arrive; identifies the tunnel (a pod has one of each family). */
  readonly address: string;
  /** `namespace/name` of the pod, from the endpoint's targetRef. */
  readonly pod: string;
  /** Of the same family, sorted. */
  readonly vips: readonly string[];
  readonly encapsulation: Encapsulation;
}

/** How far a tunnel is. `reason` is a word of Reason. @public */
export type PodTunnelState =
  | { readonly kind: 'preparing' }
  | { readonly kind: 'prepared'; readonly vips: readonly string[] }
  | { readonly kind: 'failed'; readonly reason: Reason; readonly found: string; readonly expected: string };
