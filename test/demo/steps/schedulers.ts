import type { RequestResult, Target } from '../../lab/traffic/result.ts';
import type { Flow } from '../../lab/traffic/traffic.ts';
import { type Check, type StepResult, table } from '../step.ts';
import { clients } from '../world.ts';
import { podOf, tally } from './outcomes.ts';
import type { Stage } from './stage.ts';

/** External IPs of three Services that have the same pods. */
const web: Target = { protocol: 'TCP', address: '198.51.100.80', port: 80 };
const session: Target = { ...web, address: '198.51.100.81' };
const chat: Target = { ...web, address: '198.51.100.82' };

/** Three Services with the same pods, told apart by an annotation. */
export async function compareSchedulers(stage: Stage): Promise<StepResult> {
  const [hashedRows, hashedChecks] = await bySourceHashing(stage);
  const [leastRows, leastChecks] = await byLeastConnection(stage);
  return {
    title: 'One scheduler per Service, by the annotation sluice.dev/scheduler',
    blocks: [table([], [...hashedRows, ...leastRows])],
    checks: [...hashedChecks, ...leastChecks],
  };
}

type Part = readonly [rows: readonly (readonly string[])[], checks: readonly Check[]];

async function bySourceHashing({ world }: Stage): Promise<Part> {
  const client = world.client('client');
  const spread = await world.requests(client, web, 12);
  const rows = [['shop/web', 'rr', `12 connections from ${client.addresses.IPv4[0] ?? ''}`, tally(spread)]];
  const checks: Check[] = [
    { what: 'rr spreads one client', expected: 'web-0 4  web-1 4  web-2 4', found: tally(spread) },
  ];
  for (const from of clients.map((name) => world.client(name))) {
    const address = from.addresses.IPv4[0] ?? '';
    const hashed = await world.requests(from, session, 12);
    rows.push(['shop/session', 'sh', `12 connections from ${address}`, tally(hashed)]);
    const expected = `${podOf(hashed[0])} 12`;
    checks.push({ what: `sh keeps ${address} with one pod`, expected, found: tally(hashed) });
    checks.push({ what: `sh sends ${address} to a pod`, expected: 'web', found: podOf(hashed[0]).slice(0, 3) });
  }
  return [rows, checks];
}

async function byLeastConnection(stage: Stage): Promise<Part> {
  const first = await holdOpen(stage, 6);
  for (const { flow, result } of first) if (podOf(result) === 'web-1') await flow.stop();
  const next = await holdOpen(stage, 2);
  for (const { flow, result } of [...first, ...next]) if (podOf(result) !== 'web-1') await flow.stop();
  const before = tally(first.map(({ result }) => result));
  const after = tally(next.map(({ result }) => result));
  return [
    [
      ['shop/chat', 'lc', '6 connections, held open', before],
      ['shop/chat', 'lc', 'those on web-1 end, 2 more are opened', after],
    ],
    [
      { what: 'lc spreads connections that are held open', expected: 'web-0 2  web-1 2  web-2 2', found: before },
      { what: 'lc gives the next connections to the pod with the fewest', expected: 'web-1 2', found: after },
    ],
  ];
}

interface Held {
  readonly flow: Flow;
  readonly result: RequestResult;
}

async function holdOpen({ world }: Stage, count: number): Promise<readonly Held[]> {
  const held: Held[] = [];
  for (let opened = 0; opened < count; opened += 1) {
    const flow = world.traffic.connect('client', chat);
    held.push({ flow, result: await flow.next() });
  }
  return held;
}
