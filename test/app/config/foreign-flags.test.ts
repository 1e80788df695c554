import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/app/config/config.ts';
import { flags } from '../../../src/app/config/flags.ts';
import { foreignFlags, foreignSettings } from '../../../src/app/config/foreign/flags.ts';
import { makeConfig } from '../../../src/app/config/make-config.ts';
import { givenConfig } from './given-config.ts';

/** Each flag of others that has another form here: what is written, and what it makes of the configuration. */
const honoured: readonly (readonly [argument: string, expected: Partial<Config>])[] = [
  ['--iptables-masquerade-bit=0', { masqueradeMark: 1, fwmarkMask: 2 }],
  ['--healthz-port=1', { healthzBindAddress: { address: '0.0.0.0', port: 1 } }],
  ['--healthz-port=0', { healthzBindAddress: undefined }],
  ['--metrics-port=1', { metricsBindAddress: { address: '127.0.0.1', port: 1 } }],
  ['--metrics-port=0', { metricsBindAddress: undefined }],
  ['--metrics-addr=::', { metricsBindAddress: { address: '::', port: 10_249 } }],
  ['--metrics-addr=', { metricsBindAddress: { address: '', port: 10_249 } }],
  ['--nodeport-bindon-all-ip', { nodePortAddresses: 'all' }],
  ['--nodeport-bindon-all-ip=f', { nodePortAddresses: 'primary' }],
  ['--logging-format=text', { logFormat: 'text' }],
  ['--v=2', { logLevel: 'info' }],
  ['-v=4', { logLevel: 'debug' }],
  ['-v6', { logLevel: 'trace' }],
];

describe('the tables of kube-proxy and kube-router', () => {
  it('have no flag twice, and none that sluice has under another meaning', () => {
    const names = foreignFlags.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
    const own = new Map(flags.flatMap(({ name, aliases }) => [name, ...(aliases ?? [])].map((each) => [each, name])));
    const meant = foreignSettings.filter(({ flag }) => own.has(flag ?? ''));
    for (const { flag, meaning } of meant) {
      expect([flag, meaning]).toMatchObject([flag, { kind: 'honoured', flag: own.get(flag ?? '') }]);
    }
  });

  it('name only flags that sluice has', () => {
    const own = flags.map(({ name }) => name);
    for (const { meaning } of foreignSettings) {
      expect(meaning.kind === 'honoured' ? own : ['']).toContain(meaning.kind === 'honoured' ? meaning.flag : '');
    }
  });
});

/** As the reference pages of both programs list them (kube-proxy 1.36, kube-router 2.11), without what they share. */
const reference = {
  'kube-proxy':
    'config write-config-to cleanup init-only feature-gates kubeconfig master kube-api-content-type kube-api-burst kube-api-qps hostname-override bind-address healthz-bind-address metrics-bind-address bind-address-hard-fail profiling show-hidden-metrics-for-version proxy-mode iptables-masquerade-bit masquerade-all iptables-localhost-nodeports iptables-sync-period iptables-min-sync-period ipvs-sync-period ipvs-min-sync-period ipvs-scheduler ipvs-exclude-cidrs ipvs-strict-arp ipvs-tcp-timeout ipvs-tcpfin-timeout ipvs-udp-timeout detect-local-mode pod-bridge-interface pod-interface-name-prefix cluster-cidr nodeport-addresses oom-score-adj conntrack-max-per-core conntrack-min conntrack-tcp-timeout-established conntrack-tcp-timeout-close-wait conntrack-tcp-be-liberal conntrack-udp-timeout conntrack-udp-timeout-stream config-sync-period healthz-port metrics-port v vmodule logging-format log-flush-frequency',
  'kube-router':
    'ipvs-sync-period excluded-cidrs strict-external-ip-validation service-external-ip-range loadbalancer-ip-range health-port health-addr metrics-port metrics-path metrics-addr advertise-cluster-ip advertise-external-ip advertise-loadbalancer-ip ipvs-permit-all ipvs-graceful-termination ipvs-graceful-period masquerade-all hairpin-mode nodeport-bindon-all-ip service-tcp-timeout service-tcpfin-timeout service-udp-timeout runtime-endpoint enable-ipv4 enable-ipv6 hostname-override cache-sync-timeout cleanup-config enable-pprof run-service-proxy service-node-port-range run-loadbalancer loadbalancer-default-class loadbalancer-sync-period run-router run-firewall',
} as const;

it.each(Object.entries(reference))('every flag of %s is known', (_, names) => {
  const known = new Set([
    ...foreignFlags.map(({ name }) => name),
    ...flags.flatMap(({ name, aliases }) => [name, ...(aliases ?? [])]),
  ]);
  expect(names.split(' ').filter((name) => !known.has(name))).toEqual([]);
});

describe('a flag of kube-proxy or kube-router', () => {
  it('may be written with underscores', () => {
    const { configuration, problems } = givenConfig(['--cluster_cidr=10.0.0.0/8', '--metrics_addr', '::1']);
    expect(problems).toEqual([]);
    expect(configuration?.config).toMatchObject({
      clusterCIDRs: [{ address: '10.0.0.0' }],
      metricsBindAddress: { address: '::1' },
    });
  });

  it.each(honoured)('%s does what it does there', (argument, expected) => {
    const mask = expected.fwmarkMask === undefined ? [] : [`--fwmark-mask=${expected.fwmarkMask}`];
    const { configuration, problems, warnings } = givenConfig([...argument.split(' '), ...mask]);
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    expect(configuration?.config).toEqual(makeConfig(expected));
  });

  it('may give the two parts of an address', () => {
    const { configuration } = givenConfig(['--metrics-port=8080', '--metrics-addr=0.0.0.0']);
    expect(configuration?.config.metricsBindAddress).toEqual({ address: '0.0.0.0', port: 8080 });
  });

  it('without effect is named in one warning, with all the others', () => {
    const { configuration, problems, warnings } = givenConfig([
      '--profiling',
      '--proxy-mode=iptables',
      '--iptables-sync-period=30s',
      '--feature-gates=KubeProxyIPVS=true',
      '--cache-sync-timeout=1m',
    ]);
    expect({ problems, config: configuration?.config }).toEqual({ problems: [], config: makeConfig() });
    expect(warnings.map(({ message }) => message)).toEqual(['these settings have no effect']);
    expect(Object.keys(warnings[0]?.settings ?? {}).toSorted()).toEqual([
      '--cache-sync-timeout',
      '--feature-gates',
      '--iptables-sync-period',
      '--profiling',
      '--proxy-mode',
    ]);
  });

  it('that asks for what is so anyway is not worth a word', () => {
    const argv = [
      '--profiling=false',
      '--proxy-mode=ipvs',
      '--hairpin-mode',
      '--run-router=false',
      '--run-firewall=false',
      '--run-service-proxy=true',
      '--enable-ipv6=1',
      '--iptables-localhost-nodeports=false',
    ];
    const { problems, warnings } = givenConfig(argv);
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
  });

  it('that would be missed is refused, with the reason', () => {
    const argv = ['--run-router', '--advertise-cluster-ip', '--write-config-to=/x', '--run-service-proxy=false'];
    expect(givenConfig([...argv, '--feature-gates=A=true,AllowServiceExternalIPs=F']).problems).toMatchInlineSnapshot(`
      [
        "--feature-gates: expected no AllowServiceExternalIPs=false, for which sluice has flags of its own, given "A=true,AllowServiceExternalIPs=F". Take the gate out; --strict-external-ip-validation without --service-external-ip-range refuses all external IPs.",
        "--write-config-to: expected nothing here, since sluice writes no configuration file, and kube-proxy would exit after it, given "/x". Leave it out; /configz of the metrics server shows what is in force.",
        "--run-service-proxy: expected nothing here, since sluice is nothing but the service proxy, given "false". Do not run sluice.",
        "--run-router: expected nothing here, since sluice routes nothing and announces nothing, given "true". Leave it to kube-router, run with --run-service-proxy=false.",
        "--advertise-cluster-ip: expected nothing here, since sluice routes nothing and announces nothing, given "true". Leave it to kube-router, run with --run-service-proxy=false.",
      ]
    `);
  });

  it('has its value checked even if it has no effect', () => {
    const argv = ['--profiling=maybe', '--kube-api-qps=many', '--kube-api-burst=1.5', '--cache-sync-timeout=60'];
    expect(
      givenConfig([...argv, '-v=loud', '--metrics-port=70000', '--iptables-masquerade-bit=32', '--feature-gates=A'])
        .problems,
    ).toHaveLength(8);
  });

  it('must not say the same as another one', () => {
    expect(givenConfig(['--masquerade-mark=0x8000', '--iptables-masquerade-bit=14']).problems).toEqual([
      '--iptables-masquerade-bit: expected one flag for one setting, given "14" and also --masquerade-mark. Leave out --iptables-masquerade-bit or --masquerade-mark.',
    ]);
  });
});

describe('settings that do not go together', () => {
  it('are all told', () => {
    const argv = [
      '--manifests=/m',
      '--kubeconfig=/k',
      '--ipvs-sync-period=5s',
      '--ipvs-min-sync-period=6s',
      '--masquerade-mark=0x1',
      '--metrics-bind-address=127.0.0.1:10256',
      '--health-port=10256',
      '--cleanup',
      '--init-only',
    ];
    expect(givenConfig(argv).problems).toMatchInlineSnapshot(`
      [
        "--manifests: expected one source of Services, given a folder and also --kubeconfig. Leave out --manifests, or --kubeconfig and --master.",
        "--ipvs-min-sync-period: expected at most the sync period of 5s, given 6s. Shorten it, or lengthen --ipvs-sync-period.",
        "--fwmark-mask: expected a mask without the masquerade mark, given 0x3fff, which contains 0x1. Take that bit out of --fwmark-mask, or choose another --masquerade-mark.",
        "--metrics-bind-address: expected a port of its own, given 127.0.0.1:10256, where --healthz-bind-address listens. Choose another port for one of them.",
        "--health-port: expected a port of its own, given :10256, where --healthz-bind-address listens. Choose another port for one of them.",
        "--init-only: expected one thing to do, given also --cleanup. Leave out --init-only or --cleanup.",
      ]
    `);
  });

  it('are not those that only look alike', () => {
    const argv = [
      '--metrics-bind-address=127.0.0.1:1',
      '--healthz-bind-address=127.0.0.2:1',
      '--ipvs-min-sync-period=30s',
    ];
    expect(givenConfig(argv).problems).toEqual([]);
  });
});
