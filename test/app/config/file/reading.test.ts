import { describe, expect, it } from 'vitest';
import { flags } from '../../../../src/app/config/flags.ts';
import { parseConfig } from '../../../../src/app/config/parse-config.ts';
import { formatProblem } from '../../../../src/app/config/problem.ts';
import { readArguments } from '../../../../src/app/config/read-arguments.ts';
import { filePath, fileWith, givenConfig } from '../given-config.ts';

describe('a configuration file', () => {
  it('may be the one that kubeadm writes: all fields, most without a choice', () => {
    const { configuration, problems, warnings } = givenConfig([], kubeadmFile);
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    expect(configuration?.config).toMatchObject({
      kubeconfig: '/var/lib/kube-proxy/kubeconfig.conf',
      ipvsStrictARP: true,
      masqueradeMark: 0x4000,
      healthzBindAddress: { address: '0.0.0.0', port: 10_256 },
    });
  });

  it('may be JSON, indented with tabs', () => {
    const text =
      '{\n\t"kind": "KubeProxyConfiguration",\n\t"apiVersion": "kubeproxy.config.k8s.io/v1alpha1",\n\t"ipvs": {\n\t\t"scheduler": "lc"\n\t}\n}\n';
    const { configuration, problems } = givenConfig([], text);
    expect({ problems, scheduler: configuration?.config.ipvsScheduler }).toEqual({ problems: [], scheduler: 'lc' });
  });

  it('is YAML as kube-proxy reads it, where yes is true', () => {
    expect(givenConfig([], fileWith('ipvs: {strictARP: yes}')).configuration?.config.ipvsStrictARP).toBe(true);
  });

  it.each(['2001:10:20:30:40:50:51:52', '"::"', '192.0.2.1'])('has no time of day in the address %s', (address) => {
    const { configuration, problems } = givenConfig([], fileWith(`bindAddress: ${address}`));
    expect({ problems, address: configuration?.config.bindAddress }).toEqual({
      problems: [],
      address: address.replaceAll('"', ''),
    });
  });

  it('has no date in a name', () => {
    const { configuration, problems } = givenConfig([], fileWith('hostnameOverride: 2026-01-01'));
    expect({ problems, name: configuration?.config.hostnameOverride }).toEqual({ problems: [], name: '2026-01-01' });
  });

  it('has one warning for all fields that are unknown or there twice, and the last one counts', () => {
    const text = fileWith(
      'clustercidr: 10.0.0.0/8\nipvs: {scheduler: lc, scheduler: sh, burst: 1}\nclusterCIDR: 10.1.0.0/16',
    );
    const { configuration, problems, warnings } = givenConfig([], text);
    expect(problems).toEqual([]);
    expect(configuration?.config.ipvsScheduler).toBe('sh');
    expect(warnings).toEqual([
      {
        message: 'the configuration file is accepted, though not all of it is as it should be',
        settings: {
          'ipvs.scheduler': 'given more than once; the last one counts',
          clustercidr: 'unknown, perhaps clusterCIDR was meant; it does not count',
          'ipvs.burst': 'unknown; it does not count',
        },
      },
    ]);
  });

  it('has all its problems told, with line, field, what is expected and what is there', () => {
    const text = fileWith(
      [
        'oomScoreAdj: "5"',
        'ipvs:',
        '  syncPeriod: 30',
        '  minSyncPeriod: 5x',
        '  strictARP: "true"',
        '  scheduler: roundrobin',
        'iptables: [1]',
        'nodePortAddresses: primary',
        'clusterCIDR: 7',
        'mode: userspace',
        'conntrack: {min: -1, maxPerCore: 1.5}',
        'featureGates: {AllowServiceExternalIPs: false}',
      ].join('\n'),
    );
    expect(givenConfig(['--bogus'], text).problems).toMatchInlineSnapshot(`
      [
        "--bogus: expected a flag that sluice has, given one that it has not. See sluice --help.",
        "/etc/kube-proxy.conf:3 oomScoreAdj: expected a whole number, given the string "5". Take the quotes away.",
        "/etc/kube-proxy.conf:5 ipvs.syncPeriod: expected a duration such as "30s", given the number 30. Write it with a unit: "30s".",
        "/etc/kube-proxy.conf:6 ipvs.minSyncPeriod: expected a duration such as 30s or 1m30s, given "5x". Use the units ms, s, m and h.",
        "/etc/kube-proxy.conf:7 ipvs.strictARP: expected true or false, given the string "true". Take the quotes away.",
        "/etc/kube-proxy.conf:8 ipvs.scheduler: expected one of rr, wrr, lc, wlc, lblc, lblcr, dh, sh, sed, nq, fo, ovf, mh, twos, given "roundrobin". Choose from the list.",
        "/etc/kube-proxy.conf:9 iptables: expected a map, given a list. Write its fields below it.",
        "/etc/kube-proxy.conf:10 nodePortAddresses: expected a list of strings, given the string "primary". Write it as a list, in brackets.",
        "/etc/kube-proxy.conf:11 clusterCIDR: expected a string, given the number 7. Put it in quotes: "7".",
        "/etc/kube-proxy.conf:12 mode: expected ipvs, iptables, nftables or nothing, given "userspace". Write ipvs.",
        "/etc/kube-proxy.conf:13 conntrack.min: expected a whole number from 0 to 2147483647, given "-1". Choose one from 0 to 2147483647.",
        "/etc/kube-proxy.conf:13 conntrack.maxPerCore: expected a whole number, given the number 1.5. Correct its type.",
        "/etc/kube-proxy.conf:14 featureGates: expected no AllowServiceExternalIPs=false, for which sluice has flags of its own, given "AllowServiceExternalIPs=false". Take the gate out; --strict-external-ip-validation without --service-external-ip-range refuses all external IPs.",
      ]
    `);
  });

  it.each([
    ['nothing', '', 'the file is empty'],
    ['a comment', '# nothing\n', 'the file is empty'],
    ['a list without an end', 'a: [1', 'in line 1'],
    ['two documents', 'a: 1\n---\nb: 2\n', 'there is a second document in line 2'],
    ['a list', '[]', 'given a list'],
    ['a text', 'text', 'given the string "text"'],
    ['a list of itself', 'winkernel: &a [*a]', 'in line 1'],
    ['a hundred thousand lists in each other', '['.repeat(100_000), 'in line 1'],
  ])('that is none, is refused: %s', (_name, text, expected) => {
    expect(givenConfig([], text).problems[0]).toContain(expected);
  });

  it('must say what it is', () => {
    expect(givenConfig([], 'apiVersion: kubeproxy.config.k8s.io/v1\n').problems).toEqual([
      `${filePath}:1 apiVersion: expected kubeproxy.config.k8s.io/v1alpha1, given the string "kubeproxy.config.k8s.io/v1". Write apiVersion: kubeproxy.config.k8s.io/v1alpha1.`,
      `${filePath}:1 kind: expected KubeProxyConfiguration, given nothing. Write kind: KubeProxyConfiguration.`,
    ]);
  });

  it('that cannot be read, is refused', () => {
    const { values } = readArguments(['--config=/none'], flags);
    const parsed = parseConfig(values, () => {
      throw new Error('ENOENT: no such file or directory');
    });
    expect(parsed.ok ? [] : parsed.problems.map(formatProblem)).toEqual([
      '--config: expected a file that can be read, given "/none": ENOENT: no such file or directory. Correct the path, or mount the file.',
    ]);
  });
});

describe('flags beside a configuration file', () => {
  const text = fileWith('ipvs: {scheduler: lc}\nhostnameOverride: from-file\nlogging: {verbosity: 6}');

  it('do not count where the file has a field, given or not, and one warning names them', () => {
    const argv = [
      '--ipvs-scheduler=sh',
      '--cluster-cidr=10.0.0.0/8',
      '--masquerade-mark=0x1',
      '--iptables-masquerade-bit=3',
    ];
    const { configuration, problems, warnings } = givenConfig(argv, text);
    expect(problems).toEqual([]);
    expect(configuration?.config).toMatchObject({ ipvsScheduler: 'lc', clusterCIDRs: [], masqueradeMark: 0x4000 });
    const why = 'the file has a field for it';
    expect(warnings).toEqual([
      {
        message: 'the configuration file decides in place of these flags',
        settings: {
          '--cluster-cidr': why,
          '--ipvs-scheduler': why,
          '--masquerade-mark': why,
          '--iptables-masquerade-bit': why,
        },
      },
    ]);
  });

  it('count for the name of the node and the log, before the file', () => {
    const argv = ['--hostname-override=from-flag', '--log-level=error', '--logging-format=text'];
    const { configuration, warnings } = givenConfig(argv, text);
    expect(warnings).toEqual([]);
    expect(configuration?.config).toMatchObject({
      hostnameOverride: 'from-flag',
      logLevel: 'error',
      logFormat: 'text',
    });
  });

  it('count where the file has no field', () => {
    const argv = ['--vip-mode=route', '--fwmark-mask=0x1', '--master=https://a', '--init-only', '--health-port=1'];
    const { configuration, warnings } = givenConfig(argv, text);
    expect(warnings).toEqual([]);
    expect(configuration?.config).toMatchObject({
      vipMode: 'route',
      fwmarkMask: 1,
      master: 'https://a',
      initOnly: true,
      healthPort: 1,
    });
  });

  it('are wrong all the same', () => {
    expect(givenConfig(['--ipvs-scheduler=x'], text).problems).toHaveLength(1);
  });
});

const kubeadmFile = `apiVersion: kubeproxy.config.k8s.io/v1alpha1
bindAddress: 0.0.0.0
bindAddressHardFail: false
clientConnection:
  acceptContentTypes: ""
  burst: 0
  contentType: ""
  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf
  qps: 0
clusterCIDR: 10.244.0.0/16
configSyncPeriod: 0s
conntrack:
  maxPerCore: null
  min: null
  tcpBeLiberal: false
  tcpCloseWaitTimeout: null
  tcpEstablishedTimeout: null
  udpStreamTimeout: 0s
  udpTimeout: 0s
detectLocal:
  bridgeInterface: ""
  interfaceNamePrefix: ""
detectLocalMode: ""
enableProfiling: false
healthzBindAddress: ""
hostnameOverride: ""
iptables:
  localhostNodePorts: null
  masqueradeAll: false
  masqueradeBit: null
  minSyncPeriod: 0s
  syncPeriod: 0s
ipvs:
  excludeCIDRs: null
  minSyncPeriod: 0s
  scheduler: ""
  strictARP: true
  syncPeriod: 0s
  tcpFinTimeout: 0s
  tcpTimeout: 0s
  udpTimeout: 0s
kind: KubeProxyConfiguration
logging:
  flushFrequency: 0
  options:
    json:
      infoBufferSize: "0"
    text:
      infoBufferSize: "0"
  verbosity: 0
metricsBindAddress: ""
mode: ipvs
nftables:
  masqueradeAll: false
  masqueradeBit: null
  minSyncPeriod: 0s
  syncPeriod: 0s
nodePortAddresses: null
oomScoreAdj: null
portRange: ""
showHiddenMetricsForVersion: ""
winkernel:
  enableDSR: false
  forwardHealthCheckVip: false
  networkName: ""
  rootHnsEndpointName: ""
  sourceVip: ""
`;
