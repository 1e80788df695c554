import { execaSync } from 'execa';

/** Everything that `ip` and `sysctl` say of the network namespace at a path, in stable text. */
export function listPod(path: string): string {
  const run = (...words: readonly string[]): string => execaSync('nsenter', [`--net=${path}`, ...words]).stdout;
  return [
    // The order in which interfaces were made says nothing.
    run('ip', '-d', 'address', 'show').replaceAll(/^\d+: /gm, ''),
    run('ip', 'route', 'show', 'table', 'all'),
    run('ip', '-6', 'route', 'show', 'table', 'all'),
    run('ip', 'rule', 'show'),
    run('ip', 'fou', 'show'),
    run('sysctl', '-a', '--pattern', String.raw`^net\.ipv[46]\.conf\.`),
  ].join('\n');
}
