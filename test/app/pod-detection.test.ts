import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/app/config/config.ts';
import { makeConfig } from '../../src/app/config/make-config.ts';
import { makeLog } from '../../src/app/log.ts';
import { makeMetrics } from '../../src/app/metrics/metrics.ts';
import { createDetectionWatch } from '../../src/app/observe/detection-watch.ts';
import { detectPods, podDetectionOf } from '../../src/app/pod-detection.ts';
import { formatCIDR } from '../../src/core/address.ts';
import type { NodeFact } from '../../src/core/model/facts.ts';
import { cidrs, context } from '../support/context.ts';
import { node } from '../support/facts.ts';

function detected(given: Partial<Config>, fact?: NodeFact): string {
  const { detectsLocal, podSources } = detectPods(podDetectionOf(makeConfig(given)), fact);
  const families = Object.entries(detectsLocal).flatMap(([family, detects]) => (detects ? [family] : []));
  return [...families, ...podSources.map(formatCIDR)].join(' ');
}

describe('pods are told', () => {
  it('by --cluster-cidr, in the families that it has', () => {
    expect(detected({ clusterCIDRs: cidrs('10.1.0.0/16') }, node())).toBe('IPv4 10.1.0.0/16');
    expect(detected({ clusterCIDRs: cidrs('10.1.0.0/16', 'fd00::/48') })).toBe('IPv4 IPv6 10.1.0.0/16 fd00::/48');
    expect(detected({}, node())).toBe('');
  });

  it('by the podCIDRs of the Node, whatever --cluster-cidr says', () => {
    const given = { detectLocalMode: 'NodeCIDR', clusterCIDRs: cidrs('10.0.0.0/8') } as const;
    expect(detected(given, node({ podCIDRs: ['10.1.0.0/24', 'fd00:1::/64'] }))).toBe(
      'IPv4 IPv6 10.1.0.0/24 fd00:1::/64',
    );
    expect(detected(given, node({ podCIDRs: [] }))).toBe('');
    expect(detected(given)).toBe('');
  });

  it('by the interface, in both families and without sources', () => {
    const bridge = { detectLocalMode: 'BridgeInterface', podBridgeInterface: 'cni0' } as const;
    const prefix = { detectLocalMode: 'InterfaceNamePrefix', podInterfaceNamePrefix: 'cali' } as const;
    expect([detected(bridge), detected(prefix)]).toEqual(['IPv4 IPv6', 'IPv4 IPv6']);
    expect(podDetectionOf(makeConfig(bridge))).toEqual({ by: 'interface', pattern: 'cni0' });
    expect(podDetectionOf(makeConfig(prefix))).toEqual({ by: 'interface', pattern: 'cali*' });
  });
});

describe('the log', () => {
  it('says once when a Node is without podCIDRs, and once when it has them', () => {
    const lines: string[] = [];
    const destination = { write: (text: string) => lines.push(text) };
    const log = makeLog({ level: 'info', format: 'json', destination, colours: false });
    const metrics = makeMetrics({
      version: '',
      readProcess: () => ({ cpuSeconds: 0, residentBytes: 0, startTimeSeconds: 0 }),
    });
    const look = createDetectionWatch({ by: 'node' }, { log, metrics });
    const none = context({ detectsLocal: { IPv4: false, IPv6: false } });
    const some = context({ detectsLocal: { IPv4: true, IPv6: false }, podSources: cidrs('10.1.0.0/24') });
    [none, none, some, some, none].forEach((each) => look(each));
    const told = lines.map((line) => /pods can[^:"]*/.exec(line)?.[0]);
    expect(told).toEqual([
      'pods cannot be told from other clients',
      'pods can be told from other clients now',
      'pods cannot be told from other clients',
    ]);
    expect(lines[0]).toContain('the Node has no podCIDRs; waiting for them');
    expect(lines[1]).toContain('10.1.0.0/24');
  });
});
