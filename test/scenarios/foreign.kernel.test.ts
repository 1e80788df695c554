import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Listing, listing } from '../lab/state/listing.ts';
import { clusterRanges } from '../lab/world/places.ts';
import { createWorld, type World } from '../lab/world.ts';
import { type Agent, type AgentInput, type CommandOutcome, runSluice, startAgent } from './agent.ts';
import { type Manifest, type ManifestFolder, makeManifestFolder, service } from './manifests.ts';
import { packetManifests, serviceCases } from './packets/services.ts';

let world: World;
let folder: ManifestFolder;
let agents: Agent[] = [];

beforeEach(async () => {
  world = await createWorld({ nodes: [{ name: 'node1' }] });
  await settled();
  folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'foreign-')));
  await folder.write('services.json', packetManifests(few));
});

afterEach(async () => {
  await Promise.all(agents.map((agent) => agent.end('SIGKILL')));
  agents = [];
  await world.remove();
});

describe.each(['address', 'route'])('with --vip-mode=%s', (mode) => {
  it('leaves a node as it was before, and everything of others alone (18.6, #55857)', async () => {
    await makeForeign();
    const before = await listNode();
    const agent = start(mode);
    await agent.synced;
    await expectForeign(before);
    await folder.write('services.json', packetManifests(few.slice(1)));
    await agent.line((line) => line['trigger'] === 'change');
    await expectForeign(before);
    await agent.end('SIGTERM');
    const stopped = await listNode();
    expect(stopped.ipvs.length).toBeGreaterThan(before.ipvs.length + 50);
    const { status, stdout } = await clean();
    expect(stdout).toContain('Left alone: 6\n');
    expect(status).toBe(0);
    expect(await listNode()).toEqual(before);
  });

  it('leaves an interface made by others, with the addresses on it', async () => {
    await ip(
      'link add kube-dummy-if type dummy',
      'link set kube-dummy-if up',
      'addr add 10.99.0.1/32 dev kube-dummy-if',
    );
    const before = await listNode();
    const agent = start(mode);
    await agent.synced;
    await expectForeign(before);
    await agent.end('SIGTERM');
    expect((await clean()).status).toBe(0);
    expect(await listNode()).toEqual(before);
  });

  it('leaves an address of others on its own interface until they take it away', async () => {
    const before = await listNode();
    const agent = start(mode);
    await agent.synced;
    await ip('addr add 10.99.0.1/32 dev kube-dummy-if', 'addr add fd99::1/128 dev kube-dummy-if nodad');
    await agent.end('SIGTERM');
    const first = await clean();
    expect(first.stdout).toContain('VIP interface: addresses that are not sluice’s are on it');
    const addresses = await run('ip', '-brief', 'address', 'show', 'dev', 'kube-dummy-if');
    const global = addresses
      .split(/\s+/)
      .filter((word) => /^[0-9a-f.:]+\/\d+$/.test(word) && !word.startsWith('fe80:'));
    expect(global).toEqual(['10.99.0.1/32', 'fd99::1/128']);
    await ip('addr delete 10.99.0.1/32 dev kube-dummy-if', 'addr delete fd99::1/128 dev kube-dummy-if');
    await clean();
    expect(await listNode()).toEqual(before);
  });
});

describe('cleanup', () => {
  it('finds nothing on a clean node, however often it runs', async () => {
    const before = await listNode();
    const agent = start('address');
    await agent.synced;
    await agent.end('SIGTERM');
    expect((await clean()).stdout).toContain('Removed: ');
    for (const _ of ['again', 'and again']) {
      expect(await clean()).toEqual({ status: 0, stdout: 'Nothing to remove is on this node.', stderr: '' });
      expect(await listNode()).toEqual(before);
    }
  });

  it.each([20, 60, 100, 140, 180])('cleans up after an agent that was killed %i ms into its work', async (delayMs) => {
    await folder.write('services.json', packetManifests());
    const before = await listNode();
    const agent = start('address');
    await nftTableExists();
    await sleep(delayMs);
    await agent.end('SIGKILL');
    expect((await clean()).status).toBe(0);
    expect(await listNode()).toEqual(before);
  });

  it('removes what is on its VIPs also after somebody flushed the ruleset, and names the rest', async () => {
    const before = await listNode();
    const agent = start('address');
    await agent.synced;
    await agent.end('SIGKILL');
    await run('nft', 'flush', 'ruleset');
    const { stdout } = await clean();
    const left = missingFrom(before, await listNode());
    expect(left.filter((line) => !line.startsWith('ipvsadm: '))).toEqual([]);
    // Node ports and inside views are on no VIP: nobody can tell whose they are.
    const servers = left.filter((line) => line.startsWith('ipvsadm: -A '));
    expect(servers.length).toBeGreaterThan(0);
    expect(servers.filter((line) => !/: -A (-f \d+|-[tu] \S+:300\d\d|--sctp-service \S+:300\d\d) /.test(line))).toEqual(
      [],
    );
    expect(stdout).toContain(`Left alone: ${servers.length}\n`);
  });

  it('goes on after an error, lists it, and finishes the next time', async () => {
    const before = await listNode();
    const agent = start('address');
    await agent.synced;
    await agent.end('SIGTERM');
    const release = await ownTable();
    const first = await clean();
    expect(first.status).toBe(1);
    expect(first.stdout).toMatch(
      /^Could not be removed: 1\n {2}nftables table inet sluice: remove table sluice: EPERM\n/,
    );
    const left = missingFrom(before, await listNode());
    expect(left.filter((line) => !line.startsWith('nft: '))).toEqual([]);
    await release();
    expect((await clean()).status).toBe(0);
    expect(await listNode()).toEqual(before);
  });
});

/** One Service of each policy, with endpoints on both nodes. */
const few = serviceCases.filter(({ endpoints }) => endpoints === 'one on each node');

describe('an agent that starts after somebody flushed the ruleset', () => {
  it('still knows the virtual servers on its VIPs and removes those that nobody wants any more', async () => {
    await folder.write('services.json', clusterIPsAlone(['web', 'api']));
    const first = start('address');
    await first.synced;
    await first.end('SIGKILL');
    await run('nft', 'flush', 'ruleset');
    await folder.write('services.json', clusterIPsAlone(['api']));
    await start('address').synced;
    const servers = (await listNode()).ipvs.filter((line) => line.startsWith('-A '));
    expect(servers).toEqual(['-A -t 10.96.7.3:80 -s rr']);
  });
});

/** Services without node ports: all their virtual servers are on VIPs. */
function clusterIPsAlone(names: readonly string[]): readonly Manifest[] {
  return names.map((name) =>
    service({
      name,
      clusterIPs: [name === 'api' ? '10.96.7.3' : '10.96.7.4'],
      ports: [{ name: '', protocol: 'TCP', port: 80 }],
    }),
  );
}

function input(mode: string): AgentInput {
  return {
    node: 'node1',
    manifests: folder.path,
    flags: [`--cluster-cidr=${clusterRanges}`, `--vip-mode=${mode}`],
  };
}

function start(mode: string): Agent {
  const agent = startAgent(input(mode));
  agents.push(agent);
  // Whoever does not wait for it does not care.
  agent.synced.catch(() => {});
  return agent;
}

function clean(): Promise<CommandOutcome> {
  return runSluice(input('address'), 'cleanup');
}

function listNode(): Promise<Listing> {
  return listing(world.node('node1'));
}

/** Lines of `before` that `after` lacks. */
function missingFrom(after: Listing, before: Listing): readonly string[] {
  const there = linesOf(after);
  return linesOf(before).filter((line) => !there.includes(line));
}

function linesOf({ links, addresses, routes, rules, nftables, ipvs }: Listing): readonly string[] {
  return [
    ...[...links, ...addresses, ...routes, ...rules].map((line) => `ip: ${line}`),
    ...nftables.map((line) => `nft: ${line}`),
    ...ipvs.map((line) => `ipvsadm: ${line}`),
  ];
}

/** The interface that sluice uses too gets addresses, and is one line with them. */
async function expectForeign(before: Listing): Promise<void> {
  const lost = missingFrom(await listNode(), before);
  expect(lost.filter((line) => !line.includes('"ifname":"kube-dummy-if"'))).toEqual([]);
}

/** The kernel takes a second to make sure that nobody else has a link-local address; only then it adds its route. */
async function settled(): Promise<void> {
  while ((await run('ip', '-6', 'address', 'show', 'tentative')) !== '') {
    await sleep(100);
  }
}

async function nftTableExists(): Promise<void> {
  for (;;) {
    const tables = await run('nft', 'list', 'tables');
    if (tables.includes('inet sluice')) {
      return;
    }
  }
}

/** What other programs have on a node: some of it looks much like sluice's own. */
async function makeForeign(): Promise<void> {
  await ip(
    'link add other-dummy type dummy',
    'link set other-dummy up',
    'addr add 10.98.0.1/32 dev other-dummy',
    'route add 198.51.100.128/25 via 192.0.2.1',
    'route add local 198.51.100.250 dev lo',
    'route add default via 192.0.2.1 table 100',
    'rule add fwmark 0x1/0x1 lookup 100 priority 1000',
    'route add 2001:db8:e:1::/64 via fd02::1',
    'route add local 2001:db8:e::250 dev lo',
  );
  await world.run(world.node('node1'), ['ipvsadm', '-R'], foreignServers);
  await world.run(world.node('node1'), ['nft', '-f', '-'], foreignTable);
}

// On a node address, on a VIP that sluice has too, on an address of their own, and by the first firewall marks.
const foreignServers = `-A -t 192.0.2.10:9000 -s wlc
-a -t 192.0.2.10:9000 -r 10.1.1.10:8080 -m -w 7
-A -t 10.96.0.1:9000 -s rr
-A -u [fd02::10]:53 -s lc -p 60
-A -f 1 -s rr
-a -f 1 -r 10.1.1.10:0 -m -w 1
-A -f 1 -6 -s rr
-A -f 2 -s sh
`;

const foreignTable = `table inet other {
  set names { type ipv4_addr . inet_service; elements = { 10.96.0.1 . 80 } }
  chain incoming { type filter hook input priority 90; policy accept; ip daddr . tcp dport @names counter; }
}
table ip sluice {
  chain not-ours { }
}
`;

/** Makes sluice's table another process's own: until that ends nobody else may remove it (NFT_TABLE_F_OWNER). */
async function ownTable(): Promise<() => Promise<void>> {
  const text = await run('nft', '--stateless', 'list', 'table', 'inet', 'sluice');
  await run('nft', 'delete', 'table', 'inet', 'sluice');
  const owner = spawn('nsenter', ['--net=/run/netns/node1', 'nft', '-i'], { stdio: ['pipe', 'ignore', 'inherit'] });
  const file = join(folder.path, 'owned.nft');
  await folder.writeText('owned.nft', text.replace('{', '{\n\tflags owner'));
  owner.stdin.write(`include "${file}"\n`);
  await nftTableExists();
  return async () => {
    owner.stdin.end('quit\n');
    await once(owner, 'exit');
  };
}

function run(...command: readonly string[]): Promise<string> {
  return world.run(world.node('node1'), command);
}

async function ip(...commands: readonly string[]): Promise<void> {
  await world.run(world.node('node1'), ['ip', '-batch', '-'], `${commands.join('\n')}\n`);
}
