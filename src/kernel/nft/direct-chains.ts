/**
 * The chains of direct server return.
 *
 * A VIP of direct return is not local: a pod here answers from it, and IPv4 takes no packet whose source is local
 * (fib_validate_source in net/ipv4/fib_frontend.c). What comes for it is steered to this node by a mark of its own,
 * from before routing until right before IPVS.
 */

import { type Family, families } from '../../core/model/facts.ts';
import { type Chain, hex, rule, words } from './rule-text.ts';

/** One of the chains. `viewMask` is that of `ChainInput`. */
export function directChain(name: 'steer' | 'steer_from_node' | 'clamp', viewMask: number): Chain {
  switch (name) {
    case 'steer':
      return {
        // After mangle, where Calico, Cilium and kube-router set marks.
        hook: 'filter hook prerouting priority -140',
        comment: 'packets to VIPs that are not local, before routing',
        rules: families.map((family) => steer(family, viewMask)),
      };
    case 'steer_from_node':
      return {
        hook: 'route hook output priority -140',
        comment: 'the same of processes on this node',
        rules: families.map((family) => steer(family, viewMask)),
      };
    case 'clamp':
      return {
        hook: 'filter hook forward priority mangle',
        comment: 'answers of endpoints on this node to clients outside, from the VIP',
        rules: families.map(clamp),
      };
  }
}

/** Every packet to such a VIP, whatever its port: one that no Service has is rejected here, and not sent on. */
function steer(family: Family, viewMask: number): string {
  const f = words(family);
  const steered = `meta mark & ${hex(~viewMask >>> 0)} | ${hex(viewMask)}`;
  return rule(`${f.ip} daddr @direct_return${f.n} meta mark set ${steered}`, 'to this node');
}

/** It is routed. IPVS compares the whole mark. */
export function unsteer(viewMask: number): string {
  const steered = `meta mark & ${hex(viewMask)} == ${hex(viewMask)}`;
  return rule(`${steered} meta mark set meta mark & ${hex(~viewMask >>> 0)}`, 'steered here');
}

/**
 * Tells the client how large its segments may be: they come back in a tunnel. `rt mtu` is the smaller one of the route
 * to the client and of that to the VIP, which has the room that a tunnel leaves as its MTU (get_tcpmss in
 * net/netfilter/nft_rt.c); a size is never raised (nft_exthdr_tcp_set_eval).
 */
function clamp(family: Family): string {
  const f = words(family);
  const synchronize = 'tcp flags & (syn | rst) == syn';
  return rule(`${f.ip} saddr @direct_return${f.n} ${synchronize} tcp option maxseg size set rt mtu`, 'fits the tunnel');
}
