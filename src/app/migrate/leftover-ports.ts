/** The kernel interfaces in which other service proxies leave something. */

import { type IpsetPort, openIpset } from '../../kernel/ipset/open-ipset.ts';
import { type IptablesPort, openIptables } from '../../kernel/iptables/open-iptables.ts';
import { type OtherInterfacePort, openOtherInterface } from '../../kernel/link/open-other-interface.ts';
import { type OtherTablesPort, openOtherTables } from '../../kernel/nft/other-tables.ts';
import type { FilterPort, IpvsPort } from '../../kernel/ports.ts';
import { openFilterAdvised, openIpvsAdvised } from '../kernel.ts';

export interface LeftoverPorts {
  readonly iptables: IptablesPort;
  readonly ipset: IpsetPort;
  readonly tables: OtherTablesPort;
  readonly interfaces: OtherInterfacePort;
  readonly ipvs: IpvsPort;
  /** sluice's own record says what is not the other's any more. */
  readonly filter: FilterPort;
}

/** Opens them for `use` and closes them after it. Rejects with what `openKernel` throws, or KernelError. */
export async function withLeftoverPorts<Result>(use: (ports: LeftoverPorts) => Promise<Result>): Promise<Result> {
  const ipset = openIpset();
  const interfaces = openOtherInterface();
  const ipvs = openIpvsAdvised();
  const filter = openFilterAdvised();
  try {
    return await use({ iptables: openIptables(), ipset, tables: openOtherTables(), interfaces, ipvs, filter });
  } finally {
    for (const port of [ipset, interfaces, ipvs, filter]) {
      port.close();
    }
  }
}
