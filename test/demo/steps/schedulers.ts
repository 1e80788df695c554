import { type Check, type StepResult, table } from '../step.ts';
import type { Outcome } from '../traffic/conversation.ts';
import { addresses, moreClients } from '../world.ts';
import { podOf, tally } from './outcomes.ts';
import type { Stage } from './stage.ts';

const port = 80;
/** External IPs of the three Services, which have the same pods. */
const web = { address: '198.51.100.80', port };
const session = { address: '198.51.100.81', port };
const chat = { address: '198.51.100.82', port };

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
  const client = world.peer('client');
  const ask = (place: typeof web, from: string) => client.ask({ protocol: 'TCP', ...place, from, count: 12 });
  const spread = await ask(web, addresses.client.IPv4);
  const rows = [['shop/web', 'rr', `12 connections from ${addresses.client.IPv4}`, tally(spread)]];
  const checks: Check[] = [
    { what: 'rr spreads one client', expected: 'web-0 4  web-1 4  web-2 4', found: tally(spread) },
  ];
  for (const from of [addresses.client.IPv4, ...moreClients]) {
    const hashed = await ask(session, from);
    rows.push(['shop/session', 'sh', `12 connections from ${from}`, tally(hashed)]);
    const [first] = hashed;
    const always = first !== undefined && 'pod' in first ? first.pod : 'a pod';
    checks.push({ what: `sh keeps ${from} with one pod`, expected: `${always} 12`, found: tally(hashed) });
  }
  return [rows, checks];
}

async function byLeastConnection({ world }: Stage): Promise<Part> {
  const client = world.peer('client');
  const hold = (name: string) => client.hold({ ...chat, name });
  const held: { readonly name: string; readonly outcome: Outcome }[] = [];
  for (let number = 0; number < 6; number += 1) {
    const name = `chat ${number}`;
    held.push({ name, outcome: await hold(name) });
  }
  const leaving = held.filter(({ outcome }) => podOf(outcome) === 'web-1');
  for (const { name } of leaving) await client.release(name);
  const next: Outcome[] = [await hold('chat 6'), await hold('chat 7')];
  for (const name of [...held.map((each) => each.name), 'chat 6', 'chat 7']) await client.release(name);
  const first = tally(held.map(({ outcome }) => outcome));
  return [
    [
      ['shop/chat', 'lc', '6 connections, held open', first],
      ['shop/chat', 'lc', 'those on web-1 end, 2 more are opened', tally(next)],
    ],
    [
      { what: 'lc spreads connections that are held open', expected: 'web-0 2  web-1 2  web-2 2', found: first },
      { what: 'lc gives the next connections to the pod with the fewest', expected: 'web-1 2', found: tally(next) },
    ],
  ];
}
