import type { Config } from '../config/config.ts';
import { flags } from '../config/flags.ts';
import type { Handler } from './http-server.ts';

export interface MetricsHandlerInput {
  readonly config: Config;
  /** The whole of /metrics in the Prometheus text format. */
  readonly renderMetrics: () => string;
  /** As /livez says. */
  readonly isHealthy: () => boolean;
}

const textFormat = 'text/plain; version=0.0.4; charset=utf-8';
const plainText = 'text/plain; charset=utf-8';

/** What port 10249 answers, with kube-proxy's paths. */
export function metricsHandler({ config, renderMetrics, isHealthy }: MetricsHandlerInput): Handler {
  return (path) => {
    switch (path === config.metricsPath ? '/metrics' : path) {
      case '/metrics':
        return { status: 200, contentType: textFormat, body: renderMetrics() };
      case '/metrics/slis':
        return { status: 200, contentType: textFormat, body: serviceLevelIndicators(isHealthy()) };
      case '/healthz':
        // Only that the server answers, as in kube-proxy; port 10256 tells health.
        return { status: 200, contentType: plainText, body: 'ok' };
      case '/proxyMode':
        return { status: 200, contentType: plainText, body: 'ipvs' };
      case '/configz':
        return { status: 200, contentType: 'application/json', body: `${configz(config)}\n` };
      default:
        return undefined;
    }
  };
}

/** The form of k8s.io/component-base/metrics/prometheus/slis. */
function serviceLevelIndicators(healthy: boolean): string {
  return [
    '# HELP kubernetes_healthcheck [STABLE] This metric records the result of all healthchecks.',
    '# TYPE kubernetes_healthcheck gauge',
    `kubernetes_healthcheck{name="sync",type="livez"} ${healthy ? 1 : 0}`,
    '',
  ].join('\n');
}

/** The settings in force by the name of their flag. None of them is a secret: the kubeconfig is a path. */
function configz(config: Config): string {
  return JSON.stringify({ sluice: Object.fromEntries(flags.map((flag) => [flag.name, flag.show(config)])) }, null, 2);
}
