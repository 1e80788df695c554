import type { OtherProxy } from '../../core/leftovers/names.ts';
import { workingAgent } from '../agent-lock.ts';
import { proxyState } from './running.ts';

/** Rejects with an Error when one of the proxies works on this node, or nothing can tell. */
export async function requireStopped(proxies: readonly OtherProxy[]): Promise<void> {
  const isAgentWorking = (await workingAgent()) !== undefined;
  for (const proxy of proxies) {
    const { state, how } = await proxyState(proxy, isAgentWorking);
    if (state !== 'stopped') {
      const found = state === 'running' ? 'it running' : 'no way to tell';
      throw new Error(
        `expected ${proxy} to be stopped on this node, found ${found} (${how}); stop it, or tell sluice migrate --while-running if it is not what it seems`,
      );
    }
  }
}
