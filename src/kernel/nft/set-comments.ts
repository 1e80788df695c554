import type { SetName } from '../../core/model/filter-element.ts';

/** What `nft list table inet sluice` says about each set; at most 127 bytes, no quotes. */
export const setComments: Readonly<Record<SetName, string>> = {
  virtual_servers: 'IPVS virtual servers that sluice made, and the Service of each',
  fwmarks: 'IPVS fwmark virtual servers that sluice made, and the Service of each',
  pod_sources: 'sources that are pods (--cluster-cidr, or the podCIDRs of the Node)',
  service_ranges:
    'addresses for Services (ServiceCIDR, or --service-cluster-ip-range): without a Service they lead nowhere',
  vips: 'addresses of Services that this node answers for',
  masquerade: 'frontends whose clients are masqueraded, all of them',
  masquerade_outside: 'frontends whose clients outside the cluster are masqueraded',
  inside_view: 'frontends where clients inside the cluster get another virtual server, by its mark',
  direct_view: 'frontends whose endpoints answer clients outside directly, by the mark of their virtual server',
  direct_return:
    'VIPs of such frontends: on the VIP interface, but not local, so that endpoints here may answer from them',
  drop: 'frontends that drop new connections: endpoints exist, but the policy allows none of them',
  drop_outside: 'the same for clients outside the cluster only',
  health_check: 'ports of VIPs at which sluice itself answers the probes of load balancers',
  restricted: 'load-balancer IPs that answer only to some sources (loadBalancerSourceRanges)',
  allowed_sources: 'these sources, for each of them',
  hairpin: 'endpoints, each with itself: a pod that reaches itself through a Service',
};
