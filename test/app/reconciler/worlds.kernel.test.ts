import { execaSync } from 'execa';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openIpvs } from '../../../src/kernel/ipvs/open-ipvs.ts';
import { openLink } from '../../../src/kernel/link/open-link.ts';
import { openFilter } from '../../../src/kernel/nft/open-filter.ts';
import { nodeAddresses } from '../../support/context.ts';
import { foreignAddress, live } from '../../support/live.ts';
import { skeleton } from '../../support/node-ports.ts';
import { worlds } from '../../support/worlds.ts';

const vipInterface = 'kube-dummy-if';
const script = `
set -e
ip netns add "$1"
node() { ip -n "$name" "$@"; }
name="$1"
node link set lo up
node link add eth0 type dummy
node link set eth0 up
node address add ${nodeAddresses[0]}/24 dev eth0
node address add ${nodeAddresses[1]}/64 dev eth0 nodad
`;

async function liveInNamespace(name: string, steps: Parameters<typeof live>[1]): Promise<void> {
  execaSync('sh', ['-c', script, 'sh', name]);
  const networkNamespace = `/run/netns/${name}`;
  const ports = {
    ipvs: openIpvs({ networkNamespace }),
    link: openLink({ interfaceName: vipInterface, mode: 'address', steeringMark: 0xff, networkNamespace }),
    filter: openFilter({ networkNamespace }),
  };
  try {
    await ports.filter.ensureTable(skeleton);
    ports.link.ensureInterface();
    execaSync('ip', ['-n', name, 'address', 'add', foreignAddress, 'dev', vipInterface]);
    live(ports, steps);
  } finally {
    ports.ipvs.close();
    ports.link.close();
    ports.filter.close();
    execaSync('ip', ['netns', 'delete', name]);
  }
}

describe('in any world, under the kernel', () => {
  it('the node holds what is wanted after each step, a second pass writes nothing, and nothing of sluice’s is left', async () => {
    let lived = 0;
    await fc.assert(
      fc.asyncProperty(worlds(8), async (steps) => {
        lived += 1;
        await liveInNamespace(`worlds-${process.pid}-${lived}`, steps);
      }),
      { numRuns: 30, endOnFailure: true },
    );
    expect(lived).toBe(30);
  }, 300_000);
});
