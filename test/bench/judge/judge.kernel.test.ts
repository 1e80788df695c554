import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { output } from '../../lab/execute.ts';
import { compileJudge } from '../bundle.ts';
import { type Judge, openJudge, type Programs } from '../inside/peers/judge.ts';

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

function open(programs: Programs): void {
  judge = openJudge(namespace, programs, join(folder, 'judge'));
}

/** How the question is answered while the script runs. */
async function verdict(question: string, script: string, input = ''): Promise<unknown> {
  const { took } = await judge.time(question, limitMs, () => run(script, input));
  return took;
}

const virtualServer = `ipvsadm -A -t 10.96.0.1:80 -s rr
ipvsadm -a -t 10.96.0.1:80 -r 10.0.0.1:80 -m
ipvsadm -a -t 10.96.0.1:80 -r 10.0.0.2:80 -m`;
const vip = 'ip addr add 10.96.0.1/32 dev vips';

describe('the judge of what programs IPVS', () => {
  beforeEach(() => open('ipvs'));

  it('takes a Service for programmed when its VIP is there too', async () => {
    expect(await verdict('one 10.96.0.1 80 2', virtualServer)).toEqual(late);
    expect(await verdict('one 10.96.0.1 80 2', vip)).toEqual(inTime);
  });

  it('counts the destinations that get new connections', async () => {
    await run(`${virtualServer}\n${vip}`);
    expect(await verdict('one 10.96.0.1 80 1', 'ipvsadm -e -t 10.96.0.1:80 -r 10.0.0.2:80 -m -w 0')).toEqual(inTime);
    expect(await verdict('one 10.96.0.1 80 2', 'ipvsadm -e -t 10.96.0.1:80 -r 10.0.0.2:80 -m -w 1')).toEqual(inTime);
  });

  it('takes a Service for gone when its VIP is gone too', async () => {
    await run(`${virtualServer}\n${vip}`);
    expect(await verdict('one 10.96.0.1 80 0', 'ipvsadm -D -t 10.96.0.1:80')).toEqual(late);
    expect(await verdict('one 10.96.0.1 80 0', 'ip addr del 10.96.0.1/32 dev vips')).toEqual(inTime);
  });

  it('waits for the last Service, endpoint and VIP of a cluster', async () => {
    const leaves = (await judge.leaves()) + 1;
    expect(await verdict(`whole 1 2 ${leaves}`, virtualServer)).toEqual(late);
    expect(await verdict(`whole 1 2 ${leaves}`, vip)).toEqual(inTime);
    expect(await verdict(`whole 1 3 ${leaves}`, 'ipvsadm -a -t 10.96.0.1:80 -r 10.0.0.3:80 -m')).toEqual(inTime);
    expect(await verdict(`whole 2 3 ${leaves}`, 'ipvsadm -A -t 10.96.0.2:80 -s rr')).toEqual(inTime);
  });

  it('refuses to time what is so already', async () => {
    await run(`${virtualServer}\n${vip}`);
    await expect(verdict('one 10.96.0.1 80 2', 'true')).rejects.toThrow('not to be so yet, the judge says already');
  });
});

describe('the judge of kube-proxy with nftables', () => {
  beforeEach(() => open('nftables'));

  it('takes a Service for programmed when its chain leads to all its endpoints', async () => {
    expect(await verdict('one 10.96.0.1 80 2', 'nft -f -', ruleset(2))).toEqual(inTime);
    expect(await verdict('one 10.96.0.1 80 3', 'nft -f -', 'add table ip other')).toEqual(late);
    expect(await verdict('one 10.96.0.1 80 3', 'nft -f -', `delete table ip kube-proxy\n${ruleset(3)}`)).toEqual(
      inTime,
    );
    expect(await verdict('one 10.96.0.1 80 0', 'nft delete table ip kube-proxy')).toEqual(inTime);
  });

  it('waits for the last Service and endpoint of a cluster', async () => {
    expect(await verdict('whole 1 3 0', 'nft -f -', ruleset(2))).toEqual(late);
    expect(await verdict('whole 2 2 0', 'nft -f -', 'add table ip other')).toEqual(late);
    expect(await verdict('whole 1 3 0', 'nft -f -', `delete table ip kube-proxy\n${ruleset(3)}`)).toEqual(inTime);
  });
});

/** As kube-proxy 1.36 writes it for one Service. */
function ruleset(endpoints: number): string {
  const numbers = Array.from({ length: endpoints }, (_, index) => `${index} : 10.0.0.${index + 1} . 80`);
  return `table ip kube-proxy {
    chain service-A-bench/a/tcp/http {
      meta l4proto tcp dnat ip to numgen random mod ${endpoints} map { ${numbers.join(', ')} }
    }
    map service-ips {
      type ipv4_addr . inet_proto . inet_service : verdict
      elements = { 10.96.0.1 . tcp . 80 : goto service-A-bench/a/tcp/http }
    }
  }
`;
}
