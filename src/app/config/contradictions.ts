/** Settings that are right each by itself, but not together. */

import { formatEndpoint } from '../../core/address.ts';
import type { BindAddress, Config } from './config.ts';
import { detectLocalProblems } from './detect-local.ts';
import { formatDuration } from './duration.ts';
import type { ConfigProblem } from './problem.ts';

/** All of them, in the order of the table of flags. */
export function contradictions(config: Config): readonly ConfigProblem[] {
  return [twoSources, detectLocalProblems, longMinimum, sharedMark, sharedPort, twoPurposes].flatMap((check) =>
    check(config),
  );
}

function twoSources(config: Config): readonly ConfigProblem[] {
  const api = config.kubeconfig === undefined ? config.master : config.kubeconfig;
  if (config.manifests === undefined || api === undefined) {
    return [];
  }
  return [
    {
      flag: '--manifests',
      expected: 'one source of Services',
      given: `a folder and also ${config.kubeconfig === undefined ? '--master' : '--kubeconfig'}`,
      remedy: 'Leave out --manifests, or --kubeconfig and --master',
    },
  ];
}

function longMinimum({ ipvsMinSyncPeriodMs, ipvsSyncPeriodMs }: Config): readonly ConfigProblem[] {
  if (ipvsMinSyncPeriodMs <= ipvsSyncPeriodMs) {
    return [];
  }
  return [
    {
      flag: '--ipvs-min-sync-period',
      expected: `at most the sync period of ${formatDuration(ipvsSyncPeriodMs)}`,
      given: formatDuration(ipvsMinSyncPeriodMs),
      remedy: 'Shorten it, or lengthen --ipvs-sync-period',
    },
  ];
}

function sharedMark(config: Config): readonly ConfigProblem[] {
  if ((config.fwmarkMask & config.masqueradeMark) >>> 0 === 0) {
    return [];
  }
  return [
    {
      flag: '--fwmark-mask',
      expected: 'a mask without the masquerade mark',
      given: `0x${config.fwmarkMask.toString(16)}, which contains 0x${config.masqueradeMark.toString(16)}`,
      remedy: 'Take that bit out of --fwmark-mask, or choose another --masquerade-mark',
    },
  ];
}

/** One socket for two servers: the second would try for ever. */
function sharedPort(config: Config): readonly ConfigProblem[] {
  const further = config.healthPort === 0 ? undefined : { address: config.healthAddr, port: config.healthPort };
  const servers: readonly (readonly [flag: string, bind: BindAddress | undefined])[] = [
    ['--healthz-bind-address', config.healthzBindAddress],
    ['--metrics-bind-address', config.metricsBindAddress],
    ['--health-port', further],
  ];
  return servers.flatMap(([flag, bind], index) => {
    const other = servers.slice(0, index).find(([, earlier]) => overlap(bind, earlier));
    if (bind === undefined || other === undefined) {
      return [];
    }
    const given = `${formatEndpoint(bind.address, bind.port)}, where ${other[0]} listens`;
    return [{ flag, expected: 'a port of its own', given, remedy: 'Choose another port for one of them' }];
  });
}

function overlap(one: BindAddress | undefined, other: BindAddress | undefined): boolean {
  const isAll = (bind: BindAddress): boolean => ['', '0.0.0.0', '::'].includes(bind.address);
  return (
    one?.port !== undefined && one.port === other?.port && (one.address === other.address || isAll(one) || isAll(other))
  );
}

function twoPurposes({ cleanup, initOnly }: Config): readonly ConfigProblem[] {
  if (!cleanup || !initOnly) {
    return [];
  }
  const remedy = 'Leave out --init-only or --cleanup';
  return [{ flag: '--init-only', expected: 'one thing to do', given: 'also --cleanup', remedy }];
}
