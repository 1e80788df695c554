/** How long IPVS remembers connections: of the host's network namespace, set in one request. */

import { type IpvsTable, openIpvs } from '../../kernel/ipvs/open-ipvs.ts';
import type { IpvsTimeouts } from '../../kernel/ipvs/timeouts.ts';
import type { SysctlPort } from '../../kernel/ports.ts';
import type { Config } from '../config/config.ts';
import type { Log } from '../log.ts';
import { seconds } from './host-settings.ts';

/**
 * Sets what is chosen and differs. A refusal is told and changes nothing else: true when all is as chosen.
 * `sysctls` only tells what connection tracking has.
 */
export function ensureIpvsTimeouts(
  config: Config,
  { log, sysctls }: TimeoutSurroundings,
  open: () => TimeoutTable = openIpvs,
): boolean {
  const wanted = wantedTimeouts(config);
  if (Object.values(wanted).every((value) => value === 0)) {
    return true;
  }
  try {
    const table = open();
    try {
      setWhatDiffers(table, wanted, log);
      warnOfShorter(wanted, log, sysctls);
    } finally {
      table.close();
    }
    return true;
  } catch (error) {
    log.error(
      { err: error, ...wanted },
      'the IPVS timeouts cannot be set; set them on the node (ipvsadm --set TCP TCPFIN UDP)',
    );
    return false;
  }
}

export interface TimeoutSurroundings {
  readonly log: Log;
  readonly sysctls: Pick<SysctlPort, 'read'>;
}

/** What of the table is needed for it. */
export type TimeoutTable = Pick<IpvsTable, 'readTimeouts' | 'setTimeouts' | 'close'>;

/** In seconds; 0: as it is. */
function wantedTimeouts(config: Config): IpvsTimeouts {
  return {
    tcp: seconds(config.ipvsTcpTimeoutMs),
    tcpFin: seconds(config.ipvsTcpFinTimeoutMs),
    udp: seconds(config.ipvsUdpTimeoutMs),
  };
}

function setWhatDiffers(table: TimeoutTable, wanted: IpvsTimeouts, log: Log): void {
  const found = table.readTimeouts();
  const names = ['tcp', 'tcpFin', 'udp'] as const;
  if (names.some((name) => wanted[name] !== 0 && wanted[name] !== found[name])) {
    table.setTimeouts(wanted);
    log.info({ from: found, to: table.readTimeouts() }, 'IPVS timeouts set');
  }
}

/**
 * A connection that is tracked no more is not masqueraded any more: the shorter of both times counts
 * (kubernetes/kubernetes#120076).
 */
function warnOfShorter(wanted: IpvsTimeouts, log: Log, sysctls: Pick<SysctlPort, 'read'>): void {
  for (const [name, key] of [
    ['tcp', 'net.netfilter.nf_conntrack_tcp_timeout_established'],
    ['udp', 'net.netfilter.nf_conntrack_udp_timeout_stream'],
  ] as const) {
    const tracked = Number(sysctls.read(key) ?? Number.NaN);
    if (wanted[name] > tracked) {
      const fields = { protocol: name, ipvsSeconds: wanted[name], [key]: tracked };
      log.warn(fields, 'connection tracking forgets an idle connection before IPVS does, and the shorter time counts');
    }
  }
}
