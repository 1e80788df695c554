import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { BindAddress } from '../../../src/app/config/config.ts';
import { makeConfig } from '../../../src/app/config/make-config.ts';
import { initialHealth, updated, withNodeEligible } from '../../../src/app/health/health.ts';
import { healthHandler } from '../../../src/app/health/health-server.ts';
import { type Handler, type HttpServer, serveHttp } from '../../../src/app/health/http-server.ts';
import { metricsHandler } from '../../../src/app/health/metrics-server.ts';
import { makeMetrics } from '../../../src/app/metrics/metrics.ts';

const open: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

const reading = { residentBytes: 1, cpuSeconds: 2, startTimeSeconds: 3 };

async function serve(handler: Handler): Promise<string> {
  const bound = await new Promise<BindAddress>((resolve, reject) => {
    const bind = { address: '127.0.0.1', port: 0 };
    open.push(serveHttp({ bind, handler, onListening: resolve, onBindFailure: reject }));
  });
  return `http://127.0.0.1:${bound.port}`;
}

describe('the health server', () => {
  it('answers /healthz and /livez by any method, counts the answers, and knows no other path', async () => {
    const metrics = makeMetrics({ version: '1', readProcess: () => reading });
    const now = Date.UTC(2026, 0, 1);
    let health = updated(initialHealth, ['IPv4'], now);
    const { healthzTotal, livezTotal } = metrics;
    const base = await serve(
      healthHandler({ health: () => health, now: () => now, syncPeriodMs: 30_000, healthzTotal, livezTotal }),
    );
    const first = await fetch(`${base}/healthz?verbose`);
    expect([first.status, first.headers.get('content-type'), first.headers.get('x-content-type-options')]).toEqual([
      503,
      'application/json',
      'nosniff',
    ]);
    health = withNodeEligible(health, true);
    expect((await fetch(`${base}/healthz`, { method: 'POST', body: 'x' })).status).toBe(200);
    expect((await fetch(`${base}/livez`)).status).toBe(200);
    expect((await fetch(`${base}/readyz`)).status).toBe(404);
    expect(metrics.render()).toContain('kubeproxy_proxy_healthz_total{code="200"} 1\n');
    expect(metrics.render()).toContain('kubeproxy_proxy_healthz_total{code="503"} 1\n');
    expect(metrics.render()).toContain('kubeproxy_proxy_livez_total{code="200"} 1\n');
  });
});

describe('the metrics server', () => {
  it('has the paths of kube-proxy', async () => {
    const config = makeConfig({ ipvsScheduler: 'lc' });
    const base = await serve(metricsHandler({ config, renderMetrics: () => 'm 1\n', isHealthy: () => true }));
    const text = async (path: string): Promise<string> => (await fetch(`${base}${path}`)).text();
    expect(await text('/healthz')).toBe('ok');
    expect(await text('/proxyMode')).toBe('ipvs');
    expect(await text('/metrics')).toBe('m 1\n');
    expect(await text('/metrics/slis')).toContain('kubernetes_healthcheck{name="sync",type="livez"} 1\n');
    expect(JSON.parse(await text('/configz'))).toMatchObject({
      sluice: { 'ipvs-scheduler': 'lc', 'ipvs-sync-period': '30s', 'metrics-bind-address': '127.0.0.1:10249' },
    });
  });

  it('survives a fault in a handler', async () => {
    const base = await serve(() => {
      throw new Error('broken');
    });
    const response = await fetch(base);
    expect([response.status, await response.text()]).toEqual([500, 'broken\n']);
  });
});

describe('a port that is taken', () => {
  it('is tried for again until it is free', async () => {
    const occupant = await occupy();
    const { port } = occupant.address() as AddressInfo;
    const failures: string[] = [];
    const bound = await new Promise<BindAddress>((resolve) => {
      const server = serveHttp({
        bind: { address: '127.0.0.1', port },
        handler: () => undefined,
        onListening: resolve,
        onBindFailure: (error, retryInMs) => {
          failures.push(`${error.message} ${retryInMs}`);
          occupant.close();
        },
        retryMs: () => 20,
      });
      open.push(server);
    });
    expect(bound).toEqual({ address: '127.0.0.1', port });
    expect(failures[0]).toMatch(/EADDRINUSE.* 20$/);
  });

  it('is not tried for again after close', async () => {
    const occupant = await occupy();
    const { port } = occupant.address() as AddressInfo;
    let failures = 0;
    await new Promise<void>((resolve) => {
      const server = serveHttp({
        bind: { address: '127.0.0.1', port },
        handler: () => undefined,
        onListening: () => {},
        onBindFailure: () => {
          failures += 1;
          resolve(server.close());
        },
        retryMs: () => 5,
      });
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    occupant.close();
    expect(failures).toBe(1);
  });
});

function occupy(): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen({ host: '127.0.0.1', port: 0 }, () => resolve(server));
  });
}
