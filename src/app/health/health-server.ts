import type { Counter } from '../metrics/registry.ts';
import { type Health, healthz, livez } from './health.ts';
import type { Handler } from './http-server.ts';

export interface HealthHandlerInput {
  readonly health: () => Health;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly syncPeriodMs: number;
  readonly healthzTotal: Counter<'code'>;
  readonly livezTotal: Counter<'code'>;
}

/** What port 10256 answers: `/healthz` and `/livez`, and nothing else (kube-proxy has no /readyz either). */
export function healthHandler(input: HealthHandlerInput): Handler {
  return (path) => {
    switch (path) {
      case '/healthz': {
        const { status, body } = healthz(input.health(), input.now(), input.syncPeriodMs);
        input.healthzTotal.add({ code: String(status) });
        return { status, contentType: 'application/json', body };
      }
      case '/livez': {
        const { status, body } = livez(input.health(), input.now(), input.syncPeriodMs);
        input.livezTotal.add({ code: String(status) });
        return { status, contentType: 'application/json', body };
      }
      default:
        return undefined;
    }
  };
}
