import type { PeerResult, Timed } from './result.ts';

/** Whether a proxy failed or exceeded a bound in anything that it was asked for. */
export function hasGivenUp(result: PeerResult): boolean {
  if (result.kind === 'failed') {
    return true;
  }
  const { cold, change, added, removed, restart } = result;
  return [cold, ...change, ...added, ...removed, ...(restart === undefined ? [] : [restart.took])].some(isLate);
}

export function isLate(time: Timed): time is Exclude<Timed, { readonly ms: number }> {
  return !('ms' in time);
}
