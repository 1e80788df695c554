import { describe, expect, it } from 'vitest';
import type { Config, ConfigKey } from '../../../src/app/config/config.ts';
import { makeConfig } from '../../../src/app/config/make-config.ts';
import { applyHostSettings, requireAsked } from '../../../src/app/host/apply-host.ts';
import { ensureSettings } from '../../../src/app/host/ensure-settings.ts';
import { conntrackMax, hostSettings } from '../../../src/app/host/host-settings.ts';
import { ensureIpvsTimeouts } from '../../../src/app/host/ipvs-timeouts.ts';
import type { Log, LogFields } from '../../../src/app/log.ts';
import type { errno } from '../../../src/kernel/error.ts';
import { fakeIpvs } from '../../../src/kernel/fake/ipvs.ts';
import { type FakeSysctl, fakeSysctl } from '../../../src/kernel/fake/sysctl.ts';

/** A host as a distribution leaves it. */
function freshHost(
  sysctls: Readonly<Record<string, string>> = {},
): Record<'sysctl' | 'conntrack-module' | 'process', FakeSysctl> {
  return {
    sysctl: fakeSysctl({
      'net.ipv4.ip_forward': '1',
      'net.ipv4.vs.conntrack': '0',
      'net.ipv4.vs.expire_nodest_conn': '0',
      'net.ipv4.vs.expire_quiescent_template': '0',
      'net.ipv4.vs.conn_reuse_mode': '1',
      'net.ipv4.conf.all.arp_ignore': '0',
      'net.ipv4.conf.all.arp_announce': '0',
      'net.netfilter.nf_conntrack_max': '65536',
      'net.netfilter.nf_conntrack_tcp_timeout_established': '432000',
      'net.netfilter.nf_conntrack_tcp_timeout_close_wait': '60',
      'net.netfilter.nf_conntrack_tcp_be_liberal': '0',
      'net.netfilter.nf_conntrack_udp_timeout': '30',
      'net.netfilter.nf_conntrack_udp_timeout_stream': '120',
      ...sysctls,
    }),
    'conntrack-module': fakeSysctl({ hashsize: '16384' }),
    process: fakeSysctl({ oom_score_adj: '0' }),
  };
}

function settingsOf(given: Partial<Config>, cpus = 8) {
  return hostSettings(makeConfig(given), new Set(Object.keys(given) as ConfigKey[]), cpus);
}

function written(host: ReturnType<typeof freshHost>): Readonly<Record<string, string>> {
  const writes = [host.sysctl, host['conntrack-module'], host.process].flatMap((port) => port.writes);
  return Object.fromEntries(writes.map(({ key, value }) => [key, value]));
}

describe('taking up flows in the middle', () => {
  it('is asked for with direct return alone', () => {
    const asked = (directReturn: boolean) =>
      settingsOf({ directReturn }).filter(({ key }) => key === 'net.ipv4.vs.sloppy_tcp');
    expect(asked(false)).toEqual([]);
    expect(asked(true)).toMatchObject([{ value: '1', place: 'sysctl' }]);
  });
});

describe('the size of the connection tracking table', () => {
  it.each([
    [0, 131_072, 8, 0],
    [32_768, 131_072, 1, 131_072],
    [32_768, 131_072, 4, 131_072],
    [32_768, 131_072, 8, 262_144],
    [32_768, 131_072, 32, 1_048_576],
    [32_768, 131_072, 33, 1_048_576],
    [32_768, 131_072, 256, 1_048_576],
    [10, 2_000_000, 2, 2_000_000],
    [10, 0, 2, 20],
  ])('of %i per CPU, at least %i, with %i CPUs is %i', (conntrackMaxPerCore, conntrackMin, cpus, expected) => {
    expect(conntrackMax({ conntrackMaxPerCore, conntrackMin }, cpus)).toBe(expected);
  });
});

describe('settings of the host', () => {
  it('are by default those of kube-proxy and what the datapath needs, written only where they differ', () => {
    const host = freshHost();
    const { failed } = ensureSettings(host, settingsOf({}));
    expect(failed).toEqual([]);
    expect(written(host)).toEqual({
      'net.ipv4.vs.conntrack': '1',
      'net.ipv4.vs.expire_nodest_conn': '1',
      'net.ipv4.vs.expire_quiescent_template': '1',
      'net.netfilter.nf_conntrack_max': '262144',
      'net.netfilter.nf_conntrack_tcp_timeout_established': '86400',
      'net.netfilter.nf_conntrack_tcp_timeout_close_wait': '3600',
      hashsize: '65536',
      oom_score_adj: '-999',
    });
    const again = ensureSettings(host, settingsOf({}));
    expect(again).toEqual({ changed: [], failed: [] });
  });

  it.each<[Partial<Config>, Readonly<Record<string, string>>]>([
    [{ ipvsStrictARP: true }, { 'net.ipv4.conf.all.arp_ignore': '1', 'net.ipv4.conf.all.arp_announce': '2' }],
    [{ conntrackTcpBeLiberal: true }, { 'net.netfilter.nf_conntrack_tcp_be_liberal': '1' }],
    [{ conntrackUdpMs: 10_500 }, { 'net.netfilter.nf_conntrack_udp_timeout': '11' }],
    [{ conntrackUdpStreamMs: 60_000 }, { 'net.netfilter.nf_conntrack_udp_timeout_stream': '60' }],
    [{ oomScoreAdj: -5 }, { oom_score_adj: '-5' }],
  ])('%j is written as %j', (given, expected) => {
    const host = freshHost();
    expect(ensureSettings(host, settingsOf(given)).failed).toEqual([]);
    expect(written(host)).toMatchObject(expected);
  });

  it.each<[Partial<Config>, string]>([
    [{ conntrackMaxPerCore: 0 }, 'net.netfilter.nf_conntrack_max'],
    [{ conntrackMaxPerCore: 0 }, 'hashsize'],
    [{ conntrackTcpEstablishedMs: 0 }, 'net.netfilter.nf_conntrack_tcp_timeout_established'],
    [{ conntrackTcpCloseWaitMs: 0 }, 'net.netfilter.nf_conntrack_tcp_timeout_close_wait'],
    [{ ipvsStrictARP: false }, 'net.ipv4.conf.all.arp_ignore'],
  ])('%j leaves %s as it is', (given, key) => {
    const host = freshHost({ 'net.ipv4.conf.all.arp_ignore': '2' });
    ensureSettings(host, settingsOf(given));
    expect(written(host)).not.toHaveProperty([key]);
  });

  it('leave a larger hash table as it is', () => {
    const host = { ...freshHost(), 'conntrack-module': fakeSysctl({ hashsize: '1000000' }) };
    ensureSettings(host, settingsOf({}));
    expect(host['conntrack-module'].writes).toEqual([]);
  });

  it.each<[keyof typeof errno, string]>([
    ['EROFS', 'Set it on the node (sysctl -w net.netfilter.nf_conntrack_max=262144)'],
    ['EACCES', 'Set it on the node (sysctl -w net.netfilter.nf_conntrack_max=262144)'],
    ['ENOENT', 'Load the module that has it: modprobe nf_conntrack'],
    ['EINVAL', 'Choose a value that this kernel takes'],
  ])('that cannot be written for %s have what helps told, and stop none of the others', (code, remedy) => {
    const host = freshHost();
    host.sysctl.failNext(({ key }) => key.endsWith('conntrack_max'), code);
    const { failed, changed } = ensureSettings(host, settingsOf({}));
    expect(failed).toMatchObject([
      { setting: { key: 'net.netfilter.nf_conntrack_max' }, found: '65536', error: expect.stringContaining(code) },
    ]);
    expect(failed[0]?.remedy).toContain(remedy);
    expect(changed.map(({ key }) => key)).toContain('oom_score_adj');
  });

  it('that suit are no matter on a read-only /proc/sys', () => {
    const host = freshHost();
    ensureSettings(host, settingsOf({}));
    host.sysctl.failNext(() => true, 'EROFS');
    expect(ensureSettings(host, settingsOf({}))).toEqual({ changed: [], failed: [] });
  });
});

describe('a setting that cannot be made', () => {
  it.each<[Partial<Config>, string, string]>([
    [{}, 'net.ipv4.vs.conntrack', 'error'],
    [{}, 'net.netfilter.nf_conntrack_max', 'warn'],
  ])('by default is told, and the agent goes on: %j, %s, %s', (given, key, level) => {
    const { result, lines } = applyWithout(key, given);
    expect(lines).toMatchObject([{ level, fields: { key } }]);
    expect(() => requireAsked(result)).not.toThrow();
  });

  it.each<[Partial<Config>, string]>([
    [{ conntrackMin: 200_000 }, 'net.netfilter.nf_conntrack_max'],
    [{ ipvsStrictARP: true }, 'net.ipv4.conf.all.arp_ignore'],
  ])('though %j asks for it ends the agent: %s', (given, key) => {
    const { result, lines } = applyWithout(key, given);
    expect(lines).toMatchObject([{ level: 'error', fields: { key } }]);
    const message = new RegExp(`expected ${key}=\\d+, found \\d+ .*EROFS.*Set it on the node`);
    expect(() => requireAsked(result)).toThrow(message);
  });
});

function applyWithout(key: string, given: Partial<Config>) {
  const host = freshHost({ 'net.netfilter.nf_conntrack_max': '1' });
  host.sysctl.failNext((write) => write.key === key, 'EROFS');
  const { log, lines } = recordedLog();
  const keys = new Set(Object.keys(given) as ConfigKey[]);
  const result = applyHostSettings({ config: makeConfig(given), given: keys, notices: [], file: undefined }, log, host);
  return { result, lines: lines.filter(({ level }) => level !== 'info') };
}

describe('IPVS timeouts', () => {
  const sysctls = freshHost().sysctl;

  it('beyond those of connection tracking are told, since the shorter ones count', () => {
    const { log, lines } = recordedLog();
    const config = makeConfig({ ipvsTcpTimeoutMs: 3_600_000, ipvsUdpTimeoutMs: 121_000 });
    expect(ensureIpvsTimeouts(config, { log, sysctls }, fakeIpvs)).toBe(true);
    expect(lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { fields: { protocol: 'udp', ipvsSeconds: 121, 'net.netfilter.nf_conntrack_udp_timeout_stream': 120 } },
    ]);
  });

  it('are set at once, and only what is chosen', () => {
    const table = fakeIpvs();
    const { log } = recordedLog();
    expect(
      ensureIpvsTimeouts(makeConfig({ ipvsTcpTimeoutMs: 60_000, ipvsUdpTimeoutMs: 1 }), { log, sysctls }, () => table),
    ).toBe(true);
    expect(table.readTimeouts()).toEqual({ tcp: 60, tcpFin: 120, udp: 1 });
  });

  it('are not touched when none is chosen', () => {
    const { log } = recordedLog();
    const open = (): never => {
      throw new Error('opened');
    };
    expect(ensureIpvsTimeouts(makeConfig(), { log, sysctls }, open)).toBe(true);
  });

  it('that cannot be set are told', () => {
    const { log, lines } = recordedLog();
    const open = (): never => {
      throw new Error('EPERM');
    };
    expect(ensureIpvsTimeouts(makeConfig({ ipvsTcpTimeoutMs: 1_000 }), { log, sysctls }, open)).toBe(false);
    expect(lines).toMatchObject([{ level: 'error', message: expect.stringContaining('ipvsadm --set') }]);
  });
});

interface Line {
  readonly level: string;
  readonly fields: LogFields;
  readonly message: string;
}

function recordedLog(): { readonly log: Log; readonly lines: readonly Line[] } {
  const lines: Line[] = [];
  const at =
    (level: string) =>
    (fields: LogFields, message: string): void =>
      void lines.push({ level, fields, message });
  return {
    log: { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug'), trace: at('trace') },
    lines,
  };
}
