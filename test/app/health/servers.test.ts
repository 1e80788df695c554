import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { makeConfig } from '../../../src/app/config/make-config.ts';
import { initialHealth } from '../../../src/app/health/health.ts';
import type { HttpServer } from '../../../src/app/health/http-server.ts';
import { serve } from '../../../src/app/health/servers.ts';
import { makeLog } from '../../../src/app/log.ts';
import { makeMetrics } from '../../../src/app/metrics/metrics.ts';
import { type EventReport, noEvents } from '../../../src/kube/events/event-port.ts';

let servers: readonly HttpServer[] = [];
let occupant: Server | undefined;
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  occupant?.close();
});

/** Starts a metrics server where somebody else listens already. */
async function serveOnTakenPort(bindAddressHardFail: boolean) {
  occupant = createServer();
  await new Promise<void>((resolve) => occupant?.listen({ host: '127.0.0.1', port: 0 }, resolve));
  const { port } = occupant.address() as AddressInfo;
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  const reports: EventReport[] = [];
  const failures: Error[] = [];
  const readProcess = () => ({ residentBytes: 0, cpuSeconds: 0, startTimeSeconds: 0 });
  const metricsBindAddress = { address: '127.0.0.1', port };
  servers = serve(
    makeConfig({
      metricsBindAddress,
      healthzBindAddress: undefined,
      healthPort: 0,
      bindAddressHardFail,
      hostnameOverride: 'node-a',
    }),
    {
      log: makeLog({ level: 'info', format: 'json', destination, colours: false }),
      metrics: makeMetrics({ version: 'test', readProcess }),
      health: { value: initialHealth },
      events: { ...noEvents, report: (event) => void reports.push(event) },
      fail: (error) => failures.push(error),
    },
  );
  await vi.waitUntil(() => lines.length > 0);
  return { lines, reports, failures, where: `127.0.0.1:${port}` };
}

it('a server that cannot listen is tried again, and no more', async () => {
  const { lines, reports, failures } = await serveOnTakenPort(false);
  expect(lines[0]).toContain('metrics server cannot listen');
  expect([reports, failures]).toEqual([[], []]);
});

it('with --bind-address-hard-fail it is an Event on the Node and the end', async () => {
  const { reports, failures, where } = await serveOnTakenPort(true);
  const message = `the metrics server cannot listen on ${where}: listen EADDRINUSE: address already in use ${where}`;
  expect(failures.map((error) => error.message)).toEqual([message]);
  expect(reports).toMatchObject([
    {
      type: 'Warning',
      reason: 'FailedToStartMetricServer',
      note: message,
      regarding: { kind: 'Node', name: 'node-a' },
    },
  ]);
});
