import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { podPort } from '../lab/world/places.ts';
import type { World } from '../lab/world.ts';
import { type Agent, runSluice, startAgent } from './agent.ts';
import {
  endpointSlice,
  type Manifest,
  type ManifestFolder,
  makeManifestFolder,
  nodeObject,
  service,
} from './manifests.ts';
import {
  answerer,
  askAll,
  clientAddress,
  inside,
  makeTwoNodes,
  nodeAddresses,
  pods,
  type Question,
} from './two-nodes.ts';

/**
 * Behind the default route of node1, at the client, somebody answers at these addresses: what leaves the node for them
 * comes back.
 */
const elsewhere = {
  /** Inside the ServiceCIDR, and no Service has it. */
  unallocated: { IPv4: '10.96.9.9', IPv6: 'fd00:96::9' },
  /** Inside --service-cluster-ip-range alone. */
  byFlag: { IPv4: '10.200.0.9', IPv6: 'fd00:200::9' },
} as const;
const live = { IPv4: '10.96.0.1', IPv6: 'fd00:96::1' } as const;
const families = ['IPv4', 'IPv6'] as const;
/** A pod, a process of the node, and a pod of another node, whose packets node1 sends on. */
const sources = ['idle-near', 'node1', 'idle-far'] as const;

let world: World;
let folder: ManifestFolder;
let agent: Agent;

beforeAll(async () => {
  world = await makeTwoNodes();
  for (const family of families) {
    const bits = family === 'IPv4' ? 32 : 128;
    for (const address of [elsewhere.unallocated[family], elsewhere.byFlag[family]]) {
      await inside('client', 'ip', 'address', 'add', `${address}/${bits}`, 'dev', 'lo');
      for (const protocol of ['TCP', 'UDP'] as const) {
        await world.traffic.listen('client', { protocol, address, port: 80 }, 'elsewhere');
      }
      await inside('node1', 'ip', 'route', 'add', `${address}/${bits}`, 'via', clientAddress[family]);
    }
    await inside('node2', 'ip', 'route', 'replace', 'default', 'via', nodeAddresses.node1[family]);
  }
  folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'service-ranges-')));
  await folder.write('services.json', services());
  const flags = ['--service-cluster-ip-range=10.200.0.0/16,fd00:200::/64'];
  agent = startAgent({ node: 'node1', manifests: folder.path, flags });
  await agent.synced;
}, 60_000);

afterAll(async () => {
  await agent.end('SIGTERM');
  await world.remove();
});

describe('an address inside a service range that no Service has', () => {
  it('is dropped by the range of the flag while there is no ServiceCIDR', async () => {
    expect(await answersAt('unallocated')).toEqual(everywhere('elsewhere'));
    expect(await answersAt('byFlag', ['TCP'])).toEqual(everywhere('timeout', ['TCP']));
  });

  it('is dropped by the range of a ServiceCIDR that comes, which counts in place of the flag', async () => {
    await writeServiceCIDR('10.96.0.0/12', 'fd00:96::/108');
    expect(await answersAt('unallocated')).toEqual(everywhere('timeout'));
    expect(await answersAt('byFlag', ['TCP'])).toEqual(everywhere('elsewhere', ['TCP']));
  });

  it('does not answer to ping', async () => {
    for (const source of sources) {
      for (const family of families) {
        const ping = inside(source, 'ping', '-c1', '-W1', elsewhere.unallocated[family]);
        await expect(ping, `${source} ${family}`).rejects.toThrow('ended with 1');
        const said = await inside(source, 'ping', '-c1', '-W2', elsewhere.byFlag[family]);
        expect(said).toContain('1 received');
      }
    }
  });

  it('leaves the addresses that Services have alone', async () => {
    const requests = rows(['TCP', 'UDP']).map(({ source, protocol, family }): Question => {
      return { from: source, protocol, address: live[family], port: 80, patienceMs: 5_000 };
    });
    const outcomes = (await askAll(world, requests)).flat();
    expect(outcomes.map(answerer)).toEqual(requests.map(() => 'near'));
  });

  it('is followed as the range changes', async () => {
    await writeServiceCIDR('10.96.0.0/16', 'fd00:96::/127');
    const expected = rows(['TCP']).map(
      ({ source, family }) => `${source} TCP ${family}: ${family === 'IPv4' ? 'timeout' : 'elsewhere'}`,
    );
    expect(await answersAt('unallocated', ['TCP'])).toEqual(expected);
  });

  it('is as before after cleanup', async () => {
    await agent.end('SIGTERM');
    const { status, stdout } = await runSluice({ node: 'node1', manifests: folder.path }, 'cleanup');
    expect(status).toBe(0);
    // The table goes as a whole.
    expect(stdout).not.toContain('element');
    expect(await answersAt('unallocated')).toEqual(everywhere('elsewhere'));
    expect(await answersAt('byFlag', ['TCP'])).toEqual(everywhere('elsewhere', ['TCP']));
  });
});

type Protocol = 'TCP' | 'UDP';

function rows(protocols: readonly Protocol[]) {
  return sources.flatMap((source) =>
    protocols.flatMap((protocol) => families.map((family) => ({ source, protocol, family }))),
  );
}

function everywhere(outcome: string, protocols: readonly Protocol[] = ['TCP', 'UDP']): readonly string[] {
  return rows(protocols).map(({ source, protocol, family }) => `${source} ${protocol} ${family}: ${outcome}`);
}

async function answersAt(
  name: keyof typeof elsewhere,
  protocols: readonly Protocol[] = ['TCP', 'UDP'],
): Promise<readonly string[]> {
  const all = rows(protocols);
  const requests = all.map(({ source, protocol, family }): Question => {
    return { from: source, protocol, address: elsewhere[name][family], port: 80, patienceMs: 1_000 };
  });
  const outcomes = (await askAll(world, requests)).flat();
  return all.map(({ source, protocol, family }, index) => {
    return `${source} ${protocol} ${family}: ${answerer(outcomes[index])}`;
  });
}

async function writeServiceCIDR(...cidrs: readonly string[]): Promise<void> {
  const passes = (): number => agent.log.filter((line) => line['trigger'] === 'context').length;
  const before = passes();
  const object = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: 'kubernetes' },
    spec: { cidrs },
  };
  await folder.write('ranges.json', [object]);
  await agent.line(() => passes() > before);
}

function services(): readonly Manifest[] {
  const ports = (['TCP', 'UDP'] as const).map((protocol) => ({ name: protocol.toLowerCase(), protocol }));
  return [
    nodeObject('node1', Object.values(nodeAddresses.node1)),
    service({ name: 'live', clusterIPs: Object.values(live), ports: ports.map((port) => ({ ...port, port: 80 })) }),
    ...families.map((family) =>
      endpointSlice({
        service: 'live',
        family,
        ports: ports.map((port) => ({ ...port, port: podPort })),
        endpoints: [{ address: pods.near[family], nodeName: 'node1' }],
      }),
    ),
  ];
}
