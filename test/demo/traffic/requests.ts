import { createSocket } from 'node:dgram';
import { connect, isIPv6, type Socket } from 'node:net';
import type { Answer, Outcome } from './conversation.ts';
import type { Place, Protocol } from './place.ts';

/** A request that got no answer for so long is lost. */
const patienceMs = 2_000;

/** One request from a socket of its own. `from` is the source address, where the client has several. */
export async function request(protocol: Protocol, place: Place, from?: string): Promise<Outcome> {
  if (protocol === 'UDP') {
    return requestByDatagram(place);
  }
  const socket = openConnection(place, from);
  const outcome = await requestThrough(socket);
  socket.end();
  return outcome;
}

export function openConnection({ address, port }: Place, from?: string): Socket {
  const socket = connect({ host: address, port, ...(from === undefined ? {} : { localAddress: from }) });
  socket.setNoDelay(true);
  // A connection that breaks while nobody waits for an answer shows at the next request.
  socket.on('error', () => {});
  return socket;
}

/** One request through a connection, which stays open. */
export function requestThrough(socket: Socket): Promise<Outcome> {
  return withPatience((settle) => {
    let received = '';
    const onData = (chunk: Buffer): void => {
      received += chunk.toString();
      if (received.endsWith('\n')) {
        finish(readAnswer(received));
      }
    };
    const onEnd = (): void => finish({ failure: 'the connection ended' });
    const onError = (error: NodeJS.ErrnoException): void => finish({ failure: error.code ?? error.message });
    const finish = (outcome: Outcome): void => {
      socket.off('data', onData).off('close', onEnd).off('error', onError);
      settle(outcome);
    };
    if (socket.destroyed) {
      settle({ failure: 'the connection is closed' });
      return;
    }
    socket.on('data', onData).on('close', onEnd).on('error', onError);
    socket.write('who are you?\n');
  });
}

function requestByDatagram({ address, port }: Place): Promise<Outcome> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  return withPatience((settle) => {
    socket.on('message', (message) => settle(readAnswer(message.toString())));
    socket.on('error', (error: NodeJS.ErrnoException) => settle({ failure: error.code ?? error.message }));
    // Connected, so that a refusal (ICMP port unreachable) is told.
    socket.connect(port, address, () => socket.send('who are you?\n'));
  }).finally(() => socket.close());
}

async function withPatience(begin: (settle: (outcome: Outcome) => void) => void): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const outcome = await new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => resolve({ failure: `no answer within ${patienceMs / 1000} s` }), patienceMs);
    begin(resolve);
  });
  clearTimeout(timer);
  return outcome;
}

function readAnswer(text: string): Outcome {
  try {
    // Written by `serve`; anything else is a broken answer.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return JSON.parse(text) as Answer;
  } catch {
    return { failure: `a broken answer: ${text.slice(0, 40)}` };
  }
}
