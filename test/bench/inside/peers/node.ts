/** The node that a proxy runs on: a fresh network namespace from which the API server can be reached. */

import { execa } from 'execa';
import { inFreshNamespace } from '../network-namespace.ts';

/** The API server's address, at the other end of a cable. */
export const apiAddress = '192.168.60.254';
const uplinkAddress = '192.168.60.1';

/** Runs `use` with the name of the namespace and removes it. */
export function onFreshNode<Result>(use: (namespace: string) => Promise<Result>): Promise<Result> {
  return inFreshNamespace(async (namespace) => {
    await batch([], [`link add api type veth peer name uplink netns ${namespace}`, 'link set api up']);
    await batch([], [`addr add ${apiAddress}/24 dev api`]);
    await batch(['-n', namespace], ['link set uplink up', `addr add ${uplinkAddress}/24 dev uplink`]);
    return use(namespace);
  });
}

async function batch(place: readonly string[], commands: readonly string[]): Promise<void> {
  await execa('ip', [...place, '-batch', '-'], { input: `${commands.join('\n')}\n` });
}
