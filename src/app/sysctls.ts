/** The kernel settings that the datapath rests on. Only what differs is written; what cannot be written is reported. */

import type { SysctlPort } from '../kernel/ports.ts';

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

export interface SysctlReport {
  readonly changed: readonly { readonly key: string; readonly from: string; readonly to: string }[];
  readonly failed: readonly (SysctlNeed & { readonly found: string | undefined; readonly error: string })[];
}

export function ensureSysctls(port: SysctlPort, needs: readonly SysctlNeed[] = neededSysctls): SysctlReport {
  const changed: { key: string; from: string; to: string }[] = [];
  const failed: (SysctlNeed & { found: string | undefined; error: string })[] = [];
  for (const need of needs) {
    const found = port.read(need.key);
    if (found === need.value) {
      continue;
    }
    try {
      port.write(need.key, need.value);
      changed.push({ key: need.key, from: found ?? '', to: need.value });
    } catch (error) {
      failed.push({ ...need, found, error: error instanceof Error ? error.message : String(error) });
    }
  }
  return { changed, failed };
}
