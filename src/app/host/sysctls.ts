/** The kernel settings that the datapath rests on. */

export interface SysctlNeed {
  readonly key: string;
  readonly value: string;
  readonly why: string;
}

/** Behaviour as of Linux 5.9 and later; Documentation/networking/ipvs-sysctl.rst. */
export const neededSysctls: readonly SysctlNeed[] = [
  { key: 'net.ipv4.ip_forward', value: '1', why: 'packets to pods are forwarded' },
  { key: 'net.ipv4.vs.conntrack', value: '1', why: 'masquerade works on IPVS connections only through conntrack' },
  {
    key: 'net.ipv4.vs.expire_nodest_conn',
    value: '1',
    why: 'a connection to a removed destination ends at once instead of hanging; UDP moves on',
  },
  {
    key: 'net.ipv4.vs.expire_quiescent_template',
    value: '1',
    why: 'session affinity yields when its destination drains',
  },
  {
    key: 'net.ipv4.vs.conn_reuse_mode',
    value: '1',
    why: 'a client that reuses a source port is scheduled anew, so that a draining destination empties',
  },
];
