/**
 * A program that lives in one network namespace for as long as the demo: as a pod it answers requests, and it sends
 * what it is told to. One process for all requests, because starting a program for each would cost more than the request.
 *
 *   node peer.mjs NAME     then orders on standard input, replies on standard output; ends with its input
 */

import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NumberedOrder, Order, Outcome, Reply, StreamOutcome } from './conversation.ts';
import { openConnection, request, requestThrough } from './requests.ts';
import { serve } from './serve.ts';

const held = new Map<string, Socket>();

await serve(process.argv[2] ?? '', { tcp: 8080, udp: 5353 });
reply({ number: 0, outcomes: [] });
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  // Written by `startPeer`.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { number, order } = JSON.parse(line) as NumberedOrder;
  void carryOut(order).then((outcomes) => reply({ number, outcomes }));
});
lines.on('close', () => process.exit());

function reply(message: Reply): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function carryOut(order: Order): Promise<readonly Outcome[]> {
  switch (order.verb) {
    case 'ask':
      return ask(order);
    case 'hold': {
      const socket = openConnection(order);
      held.set(order.name, socket);
      return [await requestThrough(socket)];
    }
    case 'continue': {
      const socket = held.get(order.name);
      return [socket === undefined ? { failure: 'no such connection' } : await requestThrough(socket)];
    }
    case 'release':
      held.get(order.name)?.end();
      held.delete(order.name);
      return [];
    case 'stream':
      return stream(order);
  }
}

async function ask(order: Extract<Order, { verb: 'ask' }>): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let sent = 0; sent < order.count; sent += 1) {
    outcomes.push(await request(order.protocol, order, order.from));
  }
  return outcomes;
}

async function stream(order: Extract<Order, { verb: 'stream' }>): Promise<readonly StreamOutcome[]> {
  const started = performance.now();
  const requests: Promise<StreamOutcome>[] = [];
  for (let sent = 0; sent < order.perSecond * order.seconds; sent += 1) {
    const at = (sent * 1000) / order.perSecond;
    await sleep(Math.max(0, at - (performance.now() - started)));
    requests.push(request('TCP', order).then((outcome) => ({ ...outcome, at })));
  }
  return Promise.all(requests);
}
