import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createHealthCheckServers, type HealthCheckServers } from '../../../src/app/health/health-check-servers.ts';
import type { HealthCheck } from '../../../src/core/model/health-check.ts';

const running: HealthCheckServers[] = [];
const occupants: Server[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.close()));
  occupants.splice(0).forEach((occupant) => occupant.close());
});

interface Told {
  readonly service: string;
  readonly reasons: readonly string[];
}

/** Servers whose troubles are written down; what fails is tried again after 20 ms. */
function servers(isHealthy: () => boolean = () => true): HealthCheckServers & { readonly told: Told[] } {
  const told: Told[] = [];
  const made = createHealthCheckServers({
    isHealthy,
    retryMs: () => 20,
    onTrouble: (service, refusals) =>
      told.push({ service, reasons: refusals.map(({ reason, subject }) => `${reason} ${subject}`) }),
  });
  running.push(made);
  return { ...made, told };
}

function check(port: number, fields: Partial<HealthCheck> = {}): HealthCheck {
  const listeners = [
    { address: '0.0.0.0', family: 'IPv4', localEndpoints: 2 },
    { address: '::', family: 'IPv6', localEndpoints: 0 },
  ] as const;
  return { port, namespace: 'prod', name: 'web', listeners, ...fields };
}

function occupy(address: string, port = 0): Promise<{ readonly port: number; readonly free: () => Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    occupants.push(server);
    server.on('error', reject);
    server.listen({ host: address, port, ipv6Only: address.includes(':') }, () => {
      const bound = server.address() as AddressInfo;
      resolve({ port: bound.port, free: () => new Promise((done) => server.close(() => done())) });
    });
  });
}

async function freePort(): Promise<number> {
  const { port, free } = await occupy('0.0.0.0');
  await free();
  return port;
}

/** All bytes of the reply, the date apart; undefined when nobody listens. */
function ask(address: string, port: number, request = 'GET / HTTP/1.1'): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    let said = '';
    socket.on('data', (bytes: Buffer) => {
      said += bytes.toString();
    });
    socket.on('error', () => resolve(undefined));
    socket.on('end', () => resolve(said.replace(/\r\nDate: [^\r]+/, '')));
    socket.end(`${request}\r\nHost: node\r\nConnection: close\r\n\r\n`);
  });
}

async function status(address: string, port: number): Promise<string> {
  const said = await ask(address, port);
  return said === undefined ? 'closed' : `${said.split(' ')[1]} ${/Weight: (\d+)/.exec(said)?.[1]}`;
}

describe('the reply of a health check', () => {
  it('is that of kube-proxy to the byte, each family with its own count', async () => {
    const port = await freePort();
    servers().set('a', check(port));
    const body =
      '{\n\t"service": {\n\t\t"namespace": "prod",\n\t\t"name": "web"\n\t},\n\t"localEndpoints": 2,\n\t"serviceProxyHealthy": true\n}';
    await vi.waitFor(async () =>
      expect(await ask('127.0.0.1', port)).toBe(
        [
          'HTTP/1.1 200 OK',
          'Content-Type: application/json',
          'X-Content-Type-Options: nosniff',
          'X-Load-Balancing-Endpoint-Weight: 2',
          `Content-Length: ${body.length}`,
          'Connection: close',
          '',
          body,
        ].join('\r\n'),
      ),
    );
    await vi.waitFor(async () => expect(await status('::1', port)).toBe('503 0'));
  });

  it('is the same for any path and method', async () => {
    const port = await freePort();
    servers().set('a', check(port));
    await vi.waitFor(async () => expect(await status('127.0.0.1', port)).toBe('200 2'));
    const plain = await ask('127.0.0.1', port);
    expect(await ask('127.0.0.1', port, 'POST /any/path?x=1 HTTP/1.1')).toBe(plain);
    expect(await ask('127.0.0.1', port, 'HEAD /healthz HTTP/1.1')).toBe(plain?.replace(/\r\n\r\n[^]*$/, '\r\n\r\n'));
  });

  it('is 503 while the proxy is not healthy, with the count as it is', async () => {
    let isHealthy = false;
    const port = await freePort();
    servers(() => isHealthy).set('a', check(port));
    await vi.waitFor(async () => expect(await status('127.0.0.1', port)).toBe('503 2'));
    expect(await ask('127.0.0.1', port)).toContain('"serviceProxyHealthy": false\n}');
    isHealthy = true;
    expect(await status('127.0.0.1', port)).toBe('200 2');
  });
});

describe('a change of what is wanted', () => {
  it('of the count is told by the socket that is open', async () => {
    const port = await freePort();
    const made = servers();
    made.set('a', check(port));
    await vi.waitFor(async () => expect(await status('127.0.0.1', port)).toBe('200 2'));
    made.set('a', check(port, { listeners: [{ address: '0.0.0.0', family: 'IPv4', localEndpoints: 0 }] }));
    expect(await status('127.0.0.1', port)).toBe('503 0');
    expect(await status('::1', port)).toBe('closed');
  });

  it('of the owner leaves the socket open, which then names the new one', async () => {
    const port = await freePort();
    const made = servers();
    made.set('a', check(port));
    await vi.waitFor(async () => expect(await ask('127.0.0.1', port)).toContain('"name": "web"'));
    made.set('a', check(port, { name: 'other' }));
    expect(await ask('127.0.0.1', port)).toContain('"name": "other"');
    expect(made.told).toEqual([]);
  });

  it('of the port closes one and opens the other', async () => {
    const [before, after] = [await freePort(), await freePort()];
    const made = servers();
    made.set('a', check(before));
    await vi.waitFor(async () => expect(await status('127.0.0.1', before)).toBe('200 2'));
    made.set('a', undefined);
    made.set('b', check(after));
    await vi.waitFor(async () => expect(await status('127.0.0.1', after)).toBe('200 2'));
    expect(await status('127.0.0.1', before)).toBe('closed');
  });

  it('that comes and goes at once leaves no socket', async () => {
    const port = await freePort();
    const made = servers();
    made.set('a', check(port));
    made.set('a', undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([await status('127.0.0.1', port), await status('::1', port)]).toEqual(['closed', 'closed']);
  });

  it('of the addresses goes to one address from all, and back', async () => {
    const port = await freePort();
    const made = servers();
    const listeners = [{ address: '127.0.0.2', family: 'IPv4', localEndpoints: 1 }] as const;
    made.set('a', check(port));
    await vi.waitFor(async () => expect(await status('127.0.0.1', port)).toBe('200 2'));
    made.set('a', check(port, { listeners }));
    await vi.waitFor(async () => expect(await status('127.0.0.2', port)).toBe('200 1'));
    expect(await status('127.0.0.1', port)).toBe('closed');
    made.set('a', check(port));
    await vi.waitFor(async () => expect(await status('127.0.0.1', port)).toBe('200 2'));
    expect(made.told).toEqual([]);
  });
});

describe('a port that is taken', () => {
  it('is told with the Service, tried again, and told when it is open', async () => {
    const occupant = await occupy('0.0.0.0');
    const made = servers();
    made.set('a', check(occupant.port));
    await vi.waitFor(() => expect(made.told).not.toEqual([]));
    expect(made.told[0]).toEqual({
      service: 'prod/web',
      reasons: [`health-check-port-unavailable healthCheckNodePort ${occupant.port} at 0.0.0.0`],
    });
    expect(made.counts()).toEqual({ listening: 1, failing: 1 });
    expect(await status('::1', occupant.port)).toBe('503 0');
    await occupant.free();
    await vi.waitFor(async () => expect(await status('127.0.0.1', occupant.port)).toBe('200 2'));
    expect(made.told.at(-1)).toEqual({ service: 'prod/web', reasons: [] });
    expect(made.counts()).toEqual({ listening: 2, failing: 0 });
  });

  it('is no trouble of a Service that does not want it any more', async () => {
    const occupant = await occupy('0.0.0.0');
    const made = servers();
    made.set('a', check(occupant.port));
    await vi.waitFor(() => expect(made.told).not.toEqual([]));
    made.set('a', undefined);
    expect(made.told.at(-1)).toEqual({ service: 'prod/web', reasons: [] });
    const count = made.told.length;
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(made.told).toHaveLength(count);
  });

  it('becomes the trouble of the Service that takes it over', async () => {
    const occupant = await occupy('0.0.0.0');
    const made = servers();
    made.set('a', check(occupant.port));
    await vi.waitFor(() => expect(made.told).not.toEqual([]));
    made.set('a', check(occupant.port, { name: 'other' }));
    expect(made.told.slice(-2)).toEqual([
      { service: 'prod/web', reasons: [] },
      { service: 'prod/other', reasons: [expect.stringContaining('health-check-port-unavailable')] },
    ]);
  });
});

it('the end frees every port at once, probes in flight included', async () => {
  const port = await freePort();
  const made = servers();
  made.set('a', check(port));
  await vi.waitFor(async () => expect(await status('127.0.0.1', port)).toBe('200 2'));
  const idle = connect({ host: '127.0.0.1', port });
  await new Promise((resolve) => idle.once('connect', resolve));
  const ended = new Promise((resolve) => idle.once('close', resolve));
  await made.close();
  await ended;
  const { free } = await occupy('0.0.0.0', port);
  await free();
  expect(made.counts()).toEqual({ listening: 0, failing: 0 });
});
