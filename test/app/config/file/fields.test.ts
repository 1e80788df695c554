import { describe, expect, it } from 'vitest';
import type { Config } from '../../../../src/app/config/config.ts';
import { foreignSettings } from '../../../../src/app/config/foreign/flags.ts';
import { makeConfig } from '../../../../src/app/config/make-config.ts';
import { fileWith, givenConfig } from '../given-config.ts';

const v4 = { address: '10.0.0.0', prefixLength: 8, family: 'IPv4' } as const;
const v6 = { address: 'fd00::', prefixLength: 48, family: 'IPv6' } as const;

interface Honoured {
  readonly field: string;
  readonly value: string;
  readonly expected: Partial<Config>;
  /** Another field that it goes with. */
  readonly beside: string;
}

/** Each honoured field: a value, and what it makes of the configuration. */
const honouredRows: readonly (readonly [string, string, Partial<Config>, string?])[] = [
  ['clientConnection.kubeconfig', '/k', { kubeconfig: '/k' }],
  ['hostnameOverride', 'Node-A', { hostnameOverride: 'node-a' }],
  ['bindAddress', '192.0.2.1', { bindAddress: '192.0.2.1' }],
  ['clusterCIDR', '"10.0.0.0/8,fd00::/48"', { clusterCIDRs: [v4, v6] }],
  ['detectLocalMode', 'NodeCIDR', { detectLocalMode: 'NodeCIDR' }],
  [
    'detectLocal.bridgeInterface',
    'br0',
    { detectLocalMode: 'BridgeInterface', podBridgeInterface: 'br0' },
    'detectLocalMode: BridgeInterface',
  ],
  [
    'detectLocal.interfaceNamePrefix',
    'veth',
    { detectLocalMode: 'InterfaceNamePrefix', podInterfaceNamePrefix: 'veth' },
    'detectLocalMode: InterfaceNamePrefix',
  ],
  ['nodePortAddresses', '[10.0.0.0/8, "fd00::/48"]', { nodePortAddresses: [v4, v6] }],
  ['ipvs.scheduler', 'sh', { ipvsScheduler: 'sh' }],
  ['ipvs.syncPeriod', '1m', { ipvsSyncPeriodMs: 60_000 }],
  ['ipvs.minSyncPeriod', '2s', { ipvsMinSyncPeriodMs: 2_000 }],
  ['ipvs.excludeCIDRs', '[10.0.0.0/8]', { excludedCIDRs: [v4] }],
  ['ipvs.strictARP', 'true', { ipvsStrictARP: true }],
  ['ipvs.tcpTimeout', '15m', { ipvsTcpTimeoutMs: 900_000 }],
  ['ipvs.tcpFinTimeout', '30s', { ipvsTcpFinTimeoutMs: 30_000 }],
  ['ipvs.udpTimeout', '1m30s', { ipvsUdpTimeoutMs: 90_000 }],
  ['iptables.masqueradeBit', '15', { masqueradeMark: 0x8000 }],
  ['iptables.masqueradeAll', 'true', { masqueradeAll: true }],
  ['conntrack.maxPerCore', '0', { conntrackMaxPerCore: 0 }],
  ['conntrack.min', '0', { conntrackMin: 0 }],
  ['conntrack.tcpEstablishedTimeout', '0s', { conntrackTcpEstablishedMs: 0 }],
  ['conntrack.tcpCloseWaitTimeout', '2h', { conntrackTcpCloseWaitMs: 7_200_000 }],
  ['conntrack.tcpBeLiberal', 'true', { conntrackTcpBeLiberal: true }],
  ['conntrack.udpTimeout', '10s', { conntrackUdpMs: 10_000 }],
  ['conntrack.udpStreamTimeout', '20s', { conntrackUdpStreamMs: 20_000 }],
  ['oomScoreAdj', '0', { oomScoreAdj: 0 }],
  ['healthzBindAddress', '127.0.0.1', { healthzBindAddress: { address: '127.0.0.1', port: 10_256 } }],
  ['metricsBindAddress', '"[::]:9"', { metricsBindAddress: { address: '::', port: 9 } }],
  ['bindAddressHardFail', 'true', { bindAddressHardFail: true }],
  ['logging.format', 'text', { logFormat: 'text' }],
  ['logging.verbosity', '4', { logLevel: 'debug' }],
];

const honoured = honouredRows.map(([field, value, expected, beside = '']): Honoured => {
  return { field, value, expected, beside };
});

/** Each ignored field: a value that makes a warning. */
const ignored: readonly (readonly [field: string, value: string])[] = [
  ['clientConnection.acceptContentTypes', 'text/plain'],
  ['clientConnection.contentType', 'text/plain'],
  ['clientConnection.qps', '1.5'],
  ['clientConnection.burst', '20'],
  ['configSyncPeriod', '15m'],
  ['featureGates', '{KubeProxyIPVS: false}'],
  ['mode', 'iptables'],
  ['iptables.localhostNodePorts', 'true'],
  ['iptables.syncPeriod', '30s'],
  ['iptables.minSyncPeriod', '30s'],
  ['nftables.syncPeriod', '30s'],
  ['nftables.minSyncPeriod', '30s'],
  ['nftables.masqueradeBit', '13'],
  ['nftables.masqueradeAll', 'true'],
  ['enableProfiling', 'true'],
  ['showHiddenMetricsForVersion', '"1.30"'],
  ['logging.flushFrequency', '5s'],
  ['logging.vmodule', '[{filePattern: a, verbosity: 1}]'],
  ['logging.options', '{json: {infoBufferSize: 1M}}'],
  ['portRange', '1-2'],
  ['winkernel', '{enableDSR: true}'],
  ['windowsRunAsService', 'true'],
];

describe('a field of KubeProxyConfiguration', () => {
  it('stands in one of the tables', () => {
    const tested = [...honoured.map(({ field }) => field), ...ignored.map(([field]) => field)];
    const known = foreignSettings.flatMap(({ field }) => field ?? []);
    expect(tested.toSorted()).toEqual(known.toSorted());
  });

  it.each(honoured)('$field: $value is honoured', ({ field, value, expected, beside }) => {
    const { configuration, problems, warnings } = givenConfig([], `${fileOf(field, value)}${beside}\n`);
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    expect(configuration?.config).toEqual(makeConfig({ configFile: '/etc/kube-proxy.conf', ...expected }));
    expect([...(configuration?.given ?? [])]).toEqual(expect.arrayContaining(Object.keys(expected)));
  });

  it.each(ignored)('%s: %s has no effect, and that is told', (field, value) => {
    const { configuration, problems, warnings } = givenConfig([], fileOf(field, value));
    expect(problems).toEqual([]);
    expect(configuration?.config).toEqual(makeConfig({ configFile: '/etc/kube-proxy.conf' }));
    expect(warnings).toEqual([{ message: 'these settings have no effect', settings: { [field]: expect.any(String) } }]);
  });

  it('is an error when the flag refuses its value, or when it does not go with the others', () => {
    const unknown = givenConfig([], fileOf('detectLocalMode', 'Sometimes'));
    expect(unknown.problems).toEqual([expect.stringMatching(/^\/etc\/kube-proxy\.conf:3 detectLocalMode: /)]);
    const alone = givenConfig([], fileOf('detectLocal.bridgeInterface', 'br0'));
    expect(alone.problems).toEqual([expect.stringContaining('expected --detect-local-mode=BridgeInterface beside it')]);
  });

  it.each(['null', '""', '~'])('left to its default as %s says nothing', (nothing) => {
    const fields = foreignSettings.filter(({ type }) => type === 'string' || nothing !== '""');
    for (const { field } of fields) {
      const { configuration, problems, warnings } = givenConfig([], fileOf(field ?? 'mode', nothing));
      expect({ field, problems, warnings }).toEqual({ field, problems: [], warnings: [] });
      expect([...(configuration?.given ?? [])]).toEqual(['configFile']);
    }
  });
});

describe('an IPv6 bindAddress', () => {
  const everywhere = { address: '::', port: 10_256 };
  const loopback = { address: '::1', port: 10_249 };

  it.each(['"::"', '2001:db8::1'])('%s moves the servers to IPv6', (address) => {
    const { configuration } = givenConfig([], fileWith(`bindAddress: ${address}`));
    expect(configuration?.config).toMatchObject({ healthzBindAddress: everywhere, metricsBindAddress: loopback });
  });

  it('moves no server that has an address of its own', () => {
    const { configuration } = givenConfig(['--bind-address=::', '--healthz-bind-address=127.0.0.1']);
    expect(configuration?.config).toMatchObject({
      healthzBindAddress: { address: '127.0.0.1', port: 10_256 },
      metricsBindAddress: loopback,
    });
  });
});

it('nodePortAddresses may be primary alone', () => {
  const read = (list: string) => givenConfig([], fileWith(`nodePortAddresses: ${list}`));
  expect(read('[primary]').configuration?.config.nodePortAddresses).toBe('primary');
  expect(read('[]').configuration?.config.nodePortAddresses).toBe('all');
  expect(read('[primary, 10.0.0.0/8]').problems).toEqual([
    expect.stringContaining('Take primary alone, or only CIDRs'),
  ]);
});

describe('the masquerade of mode nftables', () => {
  it('is that of its own section', () => {
    const text = fileWith(
      'mode: nftables\nnftables: {masqueradeBit: 15, masqueradeAll: true}\niptables: {masqueradeBit: 13}',
    );
    const { configuration, warnings } = givenConfig([], text);
    expect(configuration?.config).toMatchObject({ masqueradeMark: 0x8000, masqueradeAll: true });
    expect(warnings).toEqual([
      {
        message: 'these settings have no effect',
        settings: {
          mode: 'sluice is an IPVS proxy and has no other mode',
          'iptables.masqueradeBit': 'in mode "nftables" the field of nftables counts',
        },
      },
    ]);
  });
});

/** With one field, given with its dots; JSON is YAML too. */
function fileOf(field: string, value: string): string {
  const names = field.split('.');
  return fileWith(
    names
      .map((name) => `{${name}: `)
      .join('')
      .slice(1) +
      value +
      '}'.repeat(names.length - 1),
  );
}
