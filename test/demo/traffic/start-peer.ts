import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { NumberedOrder, Order, Outcome, Reply, StreamOutcome } from './conversation.ts';

/** A peer's end of the conversation. */
export interface Peer {
  /** Sends requests and tells what became of each. */
  readonly ask: (order: Omit<Extract<Order, { verb: 'ask' }>, 'verb'>) => Promise<readonly Outcome[]>;
  readonly hold: (order: Omit<Extract<Order, { verb: 'hold' }>, 'verb'>) => Promise<Outcome>;
  readonly continue: (name: string) => Promise<Outcome>;
  readonly release: (name: string) => Promise<void>;
  readonly stream: (order: Omit<Extract<Order, { verb: 'stream' }>, 'verb'>) => Promise<readonly StreamOutcome[]>;
  readonly stop: () => Promise<void>;
}

/** Starts a peer with a command that ends in the program and its name; resolves when it listens. */
export async function startPeer(command: readonly [string, ...string[]]): Promise<Peer> {
  const [file, ...args] = command;
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const { listening, order } = conversation(child);
  await listening;
  return {
    ask: (asked) => order({ verb: 'ask', ...asked }),
    hold: async (asked) => single(await order({ verb: 'hold', ...asked })),
    continue: async (name) => single(await order({ verb: 'continue', name })),
    release: async (name) => void (await order({ verb: 'release', name })),
    stream: async (asked) => (await order({ verb: 'stream', ...asked })).filter((outcome) => 'at' in outcome),
    stop: async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

type Outcomes = Reply['outcomes'];

interface Conversation {
  readonly listening: Promise<Outcomes>;
  readonly order: (order: Order) => Promise<Outcomes>;
}

function conversation(child: ChildProcess): Conversation {
  const waiting = new Map<number, { resolve: (outcomes: Outcomes) => void; reject: (error: Error) => void }>();
  const expectReply = (number: number): Promise<Outcomes> =>
    new Promise((resolve, reject) => waiting.set(number, { resolve, reject }));
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) {
    throw new Error('expected a peer with pipes');
  }
  createInterface({ input: stdout }).on('line', (line) => {
    // Written by the peer.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const { number, outcomes } = JSON.parse(line) as Reply;
    waiting.get(number)?.resolve(outcomes);
    waiting.delete(number);
  });
  child.on('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`a peer ended with status ${code}`));
  });
  const listening = expectReply(0);
  let last = 0;
  return {
    listening,
    order: (order) => {
      last += 1;
      const message: NumberedOrder = { number: last, order };
      stdin.write(`${JSON.stringify(message)}\n`);
      return expectReply(last);
    },
  };
}

function single(outcomes: Outcomes): Outcome {
  return outcomes[0] ?? { failure: 'no outcome' };
}
