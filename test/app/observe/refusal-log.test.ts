import { expect, test, vi } from 'vitest';
import type { Log } from '../../../src/app/log.ts';
import { makeMetrics } from '../../../src/app/metrics/metrics.ts';
import { createRefusalLog } from '../../../src/app/observe/refusal-log.ts';
import type { Reason } from '../../../src/core/model/reason.ts';

function tell(reason: Reason): { readonly warn: ReturnType<typeof vi.fn>; readonly page: string } {
  const warn = vi.fn<Log['warn']>();
  const log: Log = { warn, error: vi.fn(), info: vi.fn(), debug: vi.fn(), trace: vi.fn() };
  const metrics = makeMetrics({
    version: 'test',
    readProcess: () => ({ cpuSeconds: 0, residentBytes: 0, startTimeSeconds: 0 }),
  });
  const refusal = { reason, subject: 'spec.externalIPs', found: '192.0.2.1', expected: 'another' };
  createRefusalLog(log, metrics).problem({ kind: 'Service', key: 'default/web', source: 'api', refusals: [refusal] });
  return { warn, page: metrics.render() };
}

test.each<[Reason, string]>([
  ['address-of-a-node', 'refused'],
  ['address-not-in-allowed-range', 'refused'],
  ['address-not-in-allowed-range-audited', 'programmed, but reported'],
])('%s reads as %s', (reason, message) => {
  const { warn, page } = tell(reason);
  expect(warn).toHaveBeenCalledExactlyOnceWith(
    expect.objectContaining({ object: 'Service default/web', reason, found: '192.0.2.1' }),
    message,
  );
  expect(page).toContain(`{reason="${reason}"} 1`);
});
