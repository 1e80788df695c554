/**
 * One agent at a time for a network namespace: two would undo each other's work. The lock is an abstract Unix socket
 * (unix(7)): it belongs to the network namespace whose kernel state the agent changes, needs no file and no right, and is
 * free again however its holder ends. Whoever finds it taken stays connected to the holder, and so learns of its end.
 */

import { connect, createServer, type Server, type Socket } from 'node:net';

export interface AgentLockInput {
  /** What the holder tells those who wait. */
  readonly version: string;
  readonly processId: number;
  /** Ends the wait. */
  readonly stop: AbortSignal;
  readonly observer: AgentLockObserver;
  /** For tests; the name of the socket. */
  readonly name?: string;
}

export interface AgentLockObserver {
  /** Another agent holds the lock, as it describes itself. Called once. */
  waiting(holder: string): void;
  /** Something holds the lock that is no agent: it is done without. */
  squatted(found: string): void;
}

/** Resolves to the way to give the lock back, or to undefined when told to stop before it was free. */
export async function holdAgentLock(input: AgentLockInput): Promise<(() => void) | undefined> {
  const address = `\0${input.name ?? lockName}`;
  let isTold = false;
  while (!input.stop.aborted) {
    const release = await listen(address, greeting(input));
    if (release !== undefined) {
      return release;
    }
    const holder = await askHolder(address, input.stop);
    if (holder.kind === 'other') {
      input.observer.squatted(holder.found);
      return () => {};
    }
    if (holder.kind === 'agent') {
      if (!isTold) {
        input.observer.waiting(holder.description);
      }
      isTold = true;
      await holder.ended;
    }
  }
  return undefined;
}

/** How the agent describes itself that works in this network namespace; undefined when there is none. */
export async function workingAgent(name = lockName): Promise<string | undefined> {
  const leave = new AbortController();
  const holder = await askHolder(`\0${name}`, leave.signal);
  leave.abort();
  return holder.kind === 'agent' ? holder.description : undefined;
}

const lockName = 'sluice-agent';
const prefix = 'sluice ';
/** How long a holder may take to say who it is. It answers from its event loop, which a large start may keep busy. */
const patienceMs = 10_000;
const longestGreeting = 256;

function greeting({ version, processId }: AgentLockInput): string {
  return `${prefix}${version}, process ${processId}\n`;
}

/** Undefined when the name is taken. Another error is thrown. */
function listen(path: string, text: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const waiting = new Set<Socket>();
    const server: Server = createServer((socket) => {
      waiting.add(socket);
      socket.on('error', () => {}).on('close', () => waiting.delete(socket));
      socket.write(text);
    });
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') {
        resolve(undefined);
      } else {
        reject(error);
      }
    });
    server.listen({ path }, () => {
      resolve(() => {
        server.close();
        waiting.forEach((socket) => socket.destroy());
      });
    });
  });
}

type Holder =
  | { readonly kind: 'agent'; readonly description: string; readonly ended: Promise<void> }
  | { readonly kind: 'other'; readonly found: string }
  /** It ended meanwhile, or this process is to end. */
  | { readonly kind: 'gone' };

function askHolder(path: string, stop: AbortSignal): Promise<Holder> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    let text = '';
    const ended = new Promise<void>((settle) => {
      socket.on('close', () => settle());
    });
    const giveUp = (): void => void socket.destroy();
    stop.addEventListener('abort', giveUp, { once: true });
    const timer = setTimeout(() => {
      resolve({ kind: 'other', found: `no word of it within ${patienceMs / 1_000} s` });
      socket.destroy();
    }, patienceMs);
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.on('data', (piece: string) => {
      text = (text + piece).slice(0, longestGreeting);
      if (!text.includes('\n') && text.length < longestGreeting) {
        return;
      }
      clearTimeout(timer);
      const isAgent = text.startsWith(prefix) && text.includes('\n');
      resolve(isAgent ? { kind: 'agent', description: text.trim(), ended } : { kind: 'other', found: text.trim() });
      if (!isAgent) {
        socket.destroy();
      }
    });
    socket.on('close', () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', giveUp);
      resolve({ kind: 'gone' });
    });
  });
}
