/** The node that a proxy runs on: a fresh network namespace from which the API server can be reached. */

import { execa } from 'execa';
import { inFreshNamespace } from '../network-namespace.ts';

/** The API server's addresses, at the other end of a cable. */
export const apiAddresses = { IPv4: '192.168.60.254', IPv6: 'fd00:60::fe' } as const;

/** Runs `use` with the name of the namespace and removes it. */
export function onFreshNode<Result>(use: (namespace: string) => Promise<Result>): Promise<Result> {
  return inFreshNamespace(async (namespace) => {
    await batch([], [`link add api type veth peer name uplink netns ${namespace}`, 'link set api up']);
    await batch([], [`addr add ${apiAddresses.IPv4}/24 dev api`, `addr add ${apiAddresses.IPv6}/64 dev api nodad`]);
    const addresses = ['addr add 192.168.60.1/24 dev uplink', 'addr add fd00:60::1/64 dev uplink nodad'];
    await batch(['-n', namespace], ['link set uplink up', ...addresses]);
    return use(namespace);
  });
}

async function batch(place: readonly string[], commands: readonly string[]): Promise<void> {
  await execa('ip', [...place, '-batch', '-'], { input: `${commands.join('\n')}\n` });
}
