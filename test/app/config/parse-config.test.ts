import { describe, expect, it } from 'vitest';
import type { Config, ConfigKey } from '../../../src/app/config/config.ts';
import { flags } from '../../../src/app/config/flags.ts';
import { makeConfig } from '../../../src/app/config/make-config.ts';
import { parseConfig } from '../../../src/app/config/parse-config.ts';
import { formatProblem } from '../../../src/app/config/problem.ts';
import { readArguments } from '../../../src/app/config/read-arguments.ts';
import { noFile } from '../../support/no-file.ts';

function parse(...argv: readonly string[]): { config: Config | undefined; problems: readonly string[] } {
  const read = readArguments(argv, flags);
  const parsed = parseConfig(read.values, noFile);
  const problems = [...read.problems, ...(parsed.ok ? [] : parsed.problems)].map(formatProblem);
  return { config: parsed.ok ? parsed.config : undefined, problems };
}

function setting<Key extends ConfigKey>(key: Key, ...argv: readonly string[]): Config[Key] | undefined {
  const { config, problems } = parse(...argv);
  expect(problems).toEqual([]);
  return config?.[key];
}

describe('the configuration', () => {
  it('is made of defaults when nothing is given', () => {
    expect(parse()).toEqual({ config: makeConfig(), problems: [] });
  });

  it('leaves the marks of kube-proxy and of Calico alone unless told', () => {
    const calico = 0xffff_0000;
    const [masquerade, drop] = [0x4000, 0x8000];
    expect((makeConfig().fwmarkMask & (calico | masquerade | drop)) >>> 0).toBe(0);
  });

  it('has one flag for every setting', () => {
    expect(flags.map(({ key }) => key).toSorted()).toEqual(Object.keys(makeConfig()).toSorted());
  });

  it('has no name twice', () => {
    const names = flags.flatMap(({ name, aliases }) => [name, ...(aliases ?? [])]);
    expect(names).toEqual([...new Set(names)]);
  });

  it('takes the socket of a container runtime as the kubelet writes it, and as a path', () => {
    for (const text of ['unix:///run/x.sock', 'unix:/run/x.sock', '/run/x.sock']) {
      expect(setting('runtimeEndpoint', `--runtime-endpoint=${text}`)).toBe('/run/x.sock');
    }
    expect(setting('runtimeEndpoint', '--runtime-endpoint=')).toBeUndefined();
    expect(setting('hostRoot', '--host-root=/host/')).toBe('/host');
    expect(setting('hostRoot', '--host-root=/')).toBe('');
    for (const argument of ['--runtime-endpoint=tcp://x', '--host-root=host', '--direct-return-records=records']) {
      expect(parse(argument).problems).toHaveLength(1);
    }
  });

  it('reads back what it shows, for every default', () => {
    const argv = flags.map((flag) => `--${flag.name}=${flag.defaultText}`);
    expect(parse(...argv)).toEqual({ config: makeConfig(), problems: [] });
  });

  it('never shares a bit between masquerade and views by default', () => {
    const { fwmarkMask, masqueradeMark } = makeConfig();
    expect(fwmarkMask & masqueradeMark).toBe(0);
  });

  it.each([
    [['--masquerade-all'], true],
    [['--masquerade-all=true'], true],
    [['--masquerade-all=T'], true],
    [['--masquerade-all=1'], true],
    [['--masquerade-all=false'], false],
    [['--masquerade-all=0'], false],
    [['--masquerade-all', '--masquerade-all=false'], false],
  ])('reads a switch as Go does: %j', (argv, expected) => {
    expect(setting('masqueradeAll', ...argv)).toBe(expected);
  });

  it('does not take the word after a switch for its value', () => {
    expect(readArguments(['--masquerade-all', 'false'], flags).words).toEqual(['false']);
  });

  it('takes the last of a repeated flag, and all of a repeated list', () => {
    expect(setting('ipvsScheduler', '--ipvs-scheduler=lc', '--ipvs-scheduler', 'sh')).toBe('sh');
    expect(setting('clusterCIDRs', '--cluster-cidr=10.0.0.0/8', '--cluster-cidr', 'fd00::/48,10.1.2.3/16')).toEqual([
      { address: '10.0.0.0', prefixLength: 8, family: 'IPv4' },
      { address: 'fd00::', prefixLength: 48, family: 'IPv6' },
      { address: '10.1.0.0', prefixLength: 16, family: 'IPv4' },
    ]);
  });

  it('knows the spellings of kube-proxy and kube-router', () => {
    const excluded = [{ address: '10.9.0.0', prefixLength: 16, family: 'IPv4' }];
    expect(setting('excludedCIDRs', '--excluded-cidrs=10.9.0.0/16')).toEqual(excluded);
    expect(setting('excludedCIDRs', '--ipvs-exclude-cidrs=10.9.0.0/16')).toEqual(excluded);
    expect(setting('externalIPRanges', '--service-external-ip-range=10.9.0.0/16')).toEqual(excluded);
    expect(setting('loadBalancerIPRanges', '--loadbalancer-ip-range=10.9.0.0/16')).toEqual(excluded);
    expect(setting('strictExternalIPs', '--strict-external-ip-validation')).toBe(true);
    expect(setting('cleanup', '--cleanup-config')).toBe(true);
    expect(setting('cleanup', '--cleanup=true')).toBe(true);
  });

  it.each([
    ['--nodeport-addresses=', 'all'],
    ['--nodeport-addresses=primary', 'primary'],
    ['--nodeport-addresses=192.0.2.0/24', [{ address: '192.0.2.0', prefixLength: 24, family: 'IPv4' }]],
  ])('reads %s', (argument, expected) => {
    expect(setting('nodePortAddresses', argument)).toEqual(expected);
  });

  it.each([
    ['', undefined],
    ['127.0.0.1', { address: '127.0.0.1', port: 10_249 }],
    ['::1', { address: '::1', port: 10_249 }],
    ['[::1]:9', { address: '::1', port: 9 }],
    ['0.0.0.0:80', { address: '0.0.0.0', port: 80 }],
    [':8080', { address: '', port: 8080 }],
  ])('reads --metrics-bind-address=%s', (text, expected) => {
    expect(setting('metricsBindAddress', `--metrics-bind-address=${text}`)).toEqual(expected);
  });

  it('lowers a host name and reads marks in both notations', () => {
    expect(setting('hostnameOverride', '--hostname-override=Node-1.Example')).toBe('node-1.example');
    expect(setting('masqueradeMark', '--masquerade-mark=0x8000')).toBe(0x8000);
    expect(setting('masqueradeMark', '--masquerade-mark=32768')).toBe(0x8000);
    expect(setting('masqueradeMark', '--masquerade-mark=0x80000000')).toBe(0x8000_0000);
  });
});

describe('what is wrong with the command line', () => {
  it('is told all at once', () => {
    const { config, problems } = parse(
      '--ipvs-sync-period=30',
      '--ipvs-scheduler=wlcc',
      '--cluster-cidr=10.0.0.0/33',
      '--nodeport-addresses=primary,10.0.0.0/8',
      '--masquerade-all=yes',
      '--log-fromat=json',
    );
    expect(config).toBeUndefined();
    expect(problems).toMatchInlineSnapshot(`
      [
        "--log-fromat: expected a flag that sluice has, given one that it has not. Perhaps --log-format was meant; see sluice --help.",
        "--cluster-cidr: expected CIDRs separated by commas, given "10.0.0.0/33". Correct "10.0.0.0/33": write it like 10.0.0.0/16 or fd00::/48.",
        "--nodeport-addresses: expected CIDRs separated by commas, or primary alone, given "primary,10.0.0.0/8". Take primary alone, or only CIDRs.",
        "--ipvs-scheduler: expected one of rr, wrr, lc, wlc, lblc, lblcr, dh, sh, sed, nq, fo, ovf, mh, twos, given "wlcc". Perhaps wlc was meant.",
        "--ipvs-sync-period: expected a duration of at least 1s such as 30s or 1m30s, given "30". Add a unit: 30s.",
        "--masquerade-all: expected true or false, given "yes". Write the flag alone for true, or =true, or =false.",
      ]
    `);
  });

  it.each([
    ['--ipvs-sync-period=0', 'Give 1s or more'],
    ['--ipvs-sync-period=-5s', 'Use the units'],
    ['--ipvs-graceful-period=half an hour', 'Use the units'],
    ['--cluster-cidr=10.1.2.3', 'Add the length of the prefix: 10.1.2.3/32'],
    ['--excluded-cidrs=fd00::1', 'Add the length of the prefix: fd00::1/128'],
    ['--excluded-cidrs=everything', 'write it like 10.0.0.0/16'],
    ['--vip-interface=kube-dummy-interface', 'Choose 1 to 15'],
    ['--vip-interface=', 'Choose 1 to 15'],
    ['--vip-interface=a/b', 'Choose 1 to 15'],
    ['--vip-interface=lo', 'lo is the loopback'],
    ['--vip-mode=routes', 'Perhaps route was meant'],
    ['--ipvs-scheduler=RR', 'Perhaps rr was meant'],
    ['--hostname-override=node_1', 'kubectl get nodes'],
    ['--master=10.0.0.1', 'https://10.0.0.1:6443'],
    ['--healthz-bind-address=localhost:10256', 'Write it like 0.0.0.0:10256'],
    ['--healthz-bind-address=0.0.0.0:0', 'Choose a port'],
    ['--healthz-bind-address=0.0.0.0:65536', 'Choose a port'],
    ['--healthz-bind-address=[10.0.0.1]:1', 'Write it like'],
    ['--masquerade-mark=0x6000', 'power of two'],
    ['--masquerade-mark=0', 'Write it like 0x4000'],
    ['--fwmark-mask=0x100000000', 'Write it like 0x3fff'],
    ['--fwmark-mask=0xffffffff', 'Take that bit out'],
    ['--masquerade-mark=0x1', 'Take that bit out'],
    ['--log-level=verbose', 'Choose from the list'],
    ['--detect-local-mode=nodecidr', 'Choose from the list'],
    ['--service-cluster-ip-range=10.96.0.1', '10.96.0.1/32'],
    ['--detect-local-mode=BridgeInterface', 'Give --pod-bridge-interface=NAME'],
    ['--detect-local-mode=InterfaceNamePrefix', 'Give --pod-interface-name-prefix=NAME'],
    ['--pod-bridge-interface=cni0', 'Give --detect-local-mode=BridgeInterface'],
    ['--pod-interface-name-prefix=cali', 'Give --detect-local-mode=InterfaceNamePrefix'],
  ])('%s is explained', (argument, remedy) => {
    const { problems } = parse(argument);
    expect(problems).toEqual([expect.stringContaining(remedy)]);
  });

  it('tells of every flag about pods that does not go with the others', () => {
    const { problems } = parse('--detect-local-mode=BridgeInterface', '--pod-interface-name-prefix=cali');
    expect(problems).toEqual([
      '--pod-bridge-interface: expected the name that --detect-local-mode=BridgeInterface needs, given nothing. Give --pod-bridge-interface=NAME, or choose another mode.',
      '--pod-interface-name-prefix: expected --detect-local-mode=InterfaceNamePrefix beside it, given --detect-local-mode=BridgeInterface. Give --detect-local-mode=InterfaceNamePrefix, or leave --pod-interface-name-prefix out.',
    ]);
    const wrong = parse('--detect-local-mode=InterfaceNamePrefix', '--pod-interface-name-prefix=cali*').problems;
    expect(wrong).toEqual([expect.stringContaining('without a star'), expect.stringContaining('given nothing')]);
    expect(parse('--detect-local-mode=BridgeInterface', '--pod-bridge-interface=br-12.5').problems).toEqual([]);
  });

  it('suggests the nearest flag and does not complain about its value too', () => {
    expect(parse('--ipvs-schedular', 'lc').problems).toEqual([
      '--ipvs-schedular: expected a flag that sluice has, given one that it has not. Perhaps --ipvs-scheduler was meant; see sluice --help.',
    ]);
    expect(readArguments(['--ipvs-schedular', 'lc'], flags).words).toEqual([]);
  });

  it('notices a missing value', () => {
    expect(parse('--kubeconfig', '--master=https://a').problems).toEqual([
      '--kubeconfig: expected a value, given another flag, "--master=https://a". Write --kubeconfig=VALUE, or leave the flag out.',
    ]);
    expect(parse('--kubeconfig').problems).toEqual([
      '--kubeconfig: expected a value, given nothing. Write --kubeconfig=VALUE, or leave the flag out.',
    ]);
  });

  it('allows one source of Services only', () => {
    expect(parse('--manifests=/m', '--kubeconfig=/k').problems).toEqual([
      expect.stringContaining('expected one source of Services'),
    ]);
    expect(parse('--manifests=/m', '--master=https://a').problems).toEqual([
      expect.stringContaining('a folder and also --master'),
    ]);
  });

  it('quotes a long value only in part', () => {
    const [problem] = parse(`--cluster-cidr=${'x'.repeat(10_000)}`).problems;
    expect(problem?.length).toBeLessThan(400);
  });
});
