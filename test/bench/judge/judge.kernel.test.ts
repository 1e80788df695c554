import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { output } from '../../lab/execute.ts';
import { compileJudge } from '../bundle.ts';
import { type Judge, type Judged, openJudge } from '../inside/peers/judge.ts';

const namespace = 'judged';
const limitMs = 1_000;
const late = { notWithinMs: limitMs };
const inTime = { ms: expect.any(Number) as number };
let folder: string;
let judge: Judge;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'judge-'));
  await compileJudge(join(folder, 'judge'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

beforeEach(async () => {
  await output('-', ['ip', 'netns', 'add', namespace]);
  await run('ip link set lo up && ip link add vips type dummy');
});
afterEach(async () => {
  judge.close();
  await output('-', ['ip', 'netns', 'del', namespace]);
});

function run(script: string, input = ''): Promise<string> {
  return output(namespace, ['sh', '-c', script], input);
}

function open(what: Omit<Judged, 'namespace'>): void {
  judge = openJudge({ ...what, namespace }, join(folder, 'judge'));
}

/** The kernel's work queue makes an IPv6 address local, a moment after it was added (addrconf_dad_work in net/ipv6/addrconf.c). */
function untilLocal(address: string): string {
  return `timeout 5 sh -c 'until ip route get ${address} 2>&1 | grep -q ^local; do sleep 0.01; done'`;
}

/** How the question is answered while the script runs. */
async function verdict(question: string, script: string, input = ''): Promise<unknown> {
  const { took } = await judge.time(question, limitMs, () => run(script, input));
  return took;
}

interface Words {
  readonly family: Judged['family'];
  readonly vip: string;
  /** As ipvsadm writes them. */
  readonly servers: readonly [string, string];
  readonly endpoint: (number: number) => string;
  readonly target: (number: number) => string;
  readonly prefix: number;
  readonly nodeAddress: string;
  readonly nodePrefix: number;
  readonly table: string;
}

const ipv4: Words = {
  family: 'IPv4',
  vip: '10.96.0.1',
  servers: ['10.96.0.1:80', '10.96.0.2:80'],
  endpoint: (number) => `10.0.0.${number}`,
  target: (number) => `10.0.0.${number}:80`,
  prefix: 32,
  nodeAddress: '192.168.50.1',
  nodePrefix: 24,
  table: 'ip',
};

const ipv6: Words = {
  family: 'IPv6',
  vip: 'fd00:96::1',
  servers: ['[fd00:96::1]:80', '[fd00:96::2]:80'],
  endpoint: (number) => `fd00:128::${number}`,
  target: (number) => `[fd00:128::${number}]:80`,
  prefix: 128,
  nodeAddress: 'fd00:50::1',
  nodePrefix: 64,
  table: 'ip6',
};

describe.each([ipv4, ipv6])('the judge of what programs IPVS, $family', (words) => {
  const { family, vip, servers, target, prefix, nodeAddress, nodePrefix } = words;
  const [server, otherServer] = servers;
  const virtualServer = [1, 2].reduce(
    (script, number) => `${script}\nipvsadm -a -t ${server} -r ${target(number)} -m`,
    `ipvsadm -A -t ${server} -s rr`,
  );
  const expose = `ip addr add ${vip}/${prefix} dev vips`;
  const exposed = `${expose}\n${untilLocal(vip)}`;
  beforeEach(() => open({ programs: 'ipvs', family }));

  it('takes a Service for programmed when its VIP is there too', async () => {
    expect(await verdict(`one ${vip} 80 2`, virtualServer)).toEqual(late);
    expect(await verdict(`one ${vip} 80 2`, expose)).toEqual(inTime);
  });

  it('counts the destinations that get new connections', async () => {
    await run(`${virtualServer}\n${exposed}`);
    const weigh = (weight: number) => `ipvsadm -e -t ${server} -r ${target(2)} -m -w ${weight}`;
    expect(await verdict(`one ${vip} 80 1`, weigh(0))).toEqual(inTime);
    expect(await verdict(`one ${vip} 80 2`, weigh(1))).toEqual(inTime);
  });

  it('takes a Service for gone when its VIP is gone too', async () => {
    await run(`${virtualServer}\n${exposed}`);
    expect(await verdict(`one ${vip} 80 0`, `ipvsadm -D -t ${server}`)).toEqual(late);
    expect(await verdict(`one ${vip} 80 0`, `ip addr del ${vip}/${prefix} dev vips`)).toEqual(inTime);
  });

  it('waits for the last Service, endpoint and VIP of a cluster', async () => {
    const leaves = (await judge.leaves()) + 1;
    expect(await verdict(`whole 1 2 ${leaves}`, virtualServer)).toEqual(late);
    expect(await verdict(`whole 1 2 ${leaves}`, expose)).toEqual(inTime);
    expect(await verdict(`whole 1 3 ${leaves}`, `ipvsadm -a -t ${server} -r ${target(3)} -m`)).toEqual(inTime);
    const second = `ipvsadm -A -t ${otherServer} -s rr\nipvsadm -a -t ${otherServer} -r ${target(1)} -m`;
    expect(await verdict(`whole 2 4 ${leaves}`, second)).toEqual(inTime);
  });

  it('counts a VIP once, however it is exposed, and nothing that comes by itself', async () => {
    await run(
      `ip link add node type dummy && ip link set node up && ip addr add ${nodeAddress}/${nodePrefix} dev node`,
    );
    await run(untilLocal(nodeAddress));
    const leaves = await judge.leaves();
    await run('ip link set vips up; sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1');
    expect(await judge.leaves()).toBe(leaves);
    await run(exposed);
    expect(await judge.leaves()).toBe(leaves + 1);
    await run(`ip route append local ${vip} dev lo table local metric 5`);
    expect(await judge.leaves()).toBe(leaves + 1);
    await run(`ip addr del ${vip}/${prefix} dev vips`);
    expect(await judge.leaves()).toBe(leaves + 1);
  });

  it('refuses to time what is so already', async () => {
    await run(`${virtualServer}\n${exposed}`);
    await expect(verdict(`one ${vip} 80 2`, 'true')).rejects.toThrow('not to be so yet, the judge says already');
  });
});

describe.each([ipv4, ipv6])('the judge of kube-proxy with nftables, $family', (words) => {
  const { family, vip, table } = words;
  beforeEach(() => open({ programs: 'nftables', family }));

  it('takes a Service for programmed when its chain leads to all its endpoints', async () => {
    const again = `delete table ${table} kube-proxy\n${ruleset(words, 3)}`;
    expect(await verdict(`one ${vip} 80 2`, 'nft -f -', ruleset(words, 2))).toEqual(inTime);
    expect(await verdict(`one ${vip} 80 3`, 'nft -f -', `add table ${table} other`)).toEqual(late);
    expect(await verdict(`one ${vip} 80 3`, 'nft -f -', again)).toEqual(inTime);
    expect(await verdict(`one ${vip} 80 0`, `nft delete table ${table} kube-proxy`)).toEqual(inTime);
  });

  it('waits for the last Service and endpoint of a cluster', async () => {
    const again = `delete table ${table} kube-proxy\n${ruleset(words, 3)}`;
    expect(await verdict('whole 1 3 0', 'nft -f -', ruleset(words, 2))).toEqual(late);
    expect(await verdict('whole 2 2 0', 'nft -f -', `add table ${table} other`)).toEqual(late);
    expect(await verdict('whole 1 3 0', 'nft -f -', again)).toEqual(inTime);
  });

  it('does not look at the table of the other family', async () => {
    const other = family === 'IPv4' ? ipv6 : ipv4;
    expect(await verdict('whole 1 2 0', 'nft -f -', ruleset(other, 2))).toEqual(late);
  });
});

/** As kube-proxy 1.36 writes it for one Service. */
function ruleset({ table, vip, endpoint }: Words, endpoints: number): string {
  const numbers = Array.from({ length: endpoints }, (_, index) => `${index} : ${endpoint(index + 1)} . 80`);
  return `table ${table} kube-proxy {
    chain service-A-bench/a/tcp/http {
      meta l4proto tcp dnat ${table} to numgen random mod ${endpoints} map { ${numbers.join(', ')} }
    }
    map service-ips {
      type ${table === 'ip' ? 'ipv4' : 'ipv6'}_addr . inet_proto . inet_service : verdict
      elements = { ${vip} . tcp . 80 : goto service-A-bench/a/tcp/http }
    }
  }
`;
}
