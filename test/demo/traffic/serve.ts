import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Answer } from './conversation.ts';

/** Answers every line over TCP and every datagram, in both families, with the pod's name and the source address seen. */
export async function serve(pod: string, ports: { readonly tcp: number; readonly udp: number }): Promise<void> {
  const answer = (source: string): string => {
    const said: Answer = { pod, saw: source.replace(/^::ffff:/, '') };
    return `${JSON.stringify(said)}\n`;
  };
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    const source = socket.remoteAddress ?? '';
    socket.on('data', () => void socket.write(answer(source)));
    // The client may end as it likes.
    socket.on('error', () => {});
  });
  server.listen(ports.tcp, '::');
  const datagrams = createSocket({ type: 'udp6' });
  datagrams.on('message', (_, { address, port }) => datagrams.send(answer(address), port, address));
  datagrams.bind(ports.udp, '::');
  await Promise.all([once(server, 'listening'), once(datagrams, 'listening')]);
}
