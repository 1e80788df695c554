/** The settings of the host, and the configuration file, with the agent as installed. */

import { mkdtemp, rename, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execute, output } from '../lab/execute.ts';
import { type Agent, bundle, contained, type LogLine, startAgent } from './agent.ts';
import { makeManifestFolder, nodeObject, service } from './manifests.ts';

/** A network namespace for each agent: what one sets the next does not find. */
const hosts = ['prepared', 'untouched', 'watched'] as const;
type Host = (typeof hosts)[number];

let folder = '';
let manifests = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'host-settings-'));
  const made = await makeManifestFolder(join(folder, 'manifests'));
  await made.write('objects.json', [
    ...hosts.map((host) => nodeObject(host, ['127.0.0.1'])),
    service({ name: 'web', clusterIPs: ['10.96.0.1'], ports: [{ name: '', protocol: 'TCP', port: 80 }] }),
  ]);
  manifests = made.path;
  for (const host of hosts) {
    await output('-', ['ip', 'netns', 'add', host]);
    await output(host, ['ip', 'link', 'set', 'lo', 'up']);
  }
});

afterAll(async () => {
  for (const host of hosts) {
    await output('-', ['ip', 'netns', 'delete', host]);
  }
});

describe('--init-only with a configuration file', () => {
  let config = '';

  beforeAll(async () => {
    config = await writeConfig('prepared.conf', [
      'conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 2h, tcpCloseWaitTimeout: 30m, tcpBeLiberal: true,',
      '  udpTimeout: 40s, udpStreamTimeout: 200s}',
      'ipvs: {strictARP: true, tcpTimeout: 10m, tcpFinTimeout: 1m, udpTimeout: 90s}',
    ]);
  });

  it('sets what the file asks for and ends with 0', async () => {
    const { status, lines } = await sluice('prepared', ['run', '--init-only', `--config=${config}`]);
    expect(lines.at(-1)).toMatchObject({ msg: 'this node is prepared' });
    expect(status).toBe(0);
    expect(await sysctls('prepared', Object.keys(asked))).toEqual(asked);
    expect(await output('prepared', ['ipvsadm', '-l', '--timeout'])).toContain('Timeout (tcp tcpfin udp): 600 60 90');
  });

  it('changes nothing the second time', async () => {
    const { status, lines } = await sluice('prepared', ['run', '--init-only', `--config=${config}`]);
    expect(status).toBe(0);
    const changes = lines.filter(({ msg }) => /changed|timeouts set/.test(msg) && !msg.includes('cannot'));
    // The score belongs to the process, which is another one.
    expect(changes.filter((line) => line['key'] !== 'oom_score_adj')).toEqual([]);
  });

  it('makes neither interface nor table: that is the agent’s', async () => {
    expect(await output('prepared', ['ip', '-o', 'link', 'show', 'type', 'dummy'])).toBe('');
    expect(await output('prepared', ['nft', 'list', 'tables'])).toBe('');
  });

  it('leaves nothing to set to the agent, which then needs NET_ADMIN alone', async () => {
    const agent = startAgent({ node: 'prepared', manifests, flags: [`--config=${config}`], isContained: true });
    try {
      await agent.synced;
      // It may not lower its own score, which the kubelet has done for it.
      expect(agent.log.filter(isComplaint)).toMatchObject([{ level: 'info', key: 'oom_score_adj' }]);
      expect(await output('prepared', ['ipvsadm', '-Ln'])).toContain('10.96.0.1:80');
    } finally {
      await agent.end('SIGTERM');
    }
  });
});

describe('the agent with NET_ADMIN alone, on a host that nobody prepared', () => {
  it('runs, and tells of each setting what helps', async () => {
    const agent = startAgent({ node: 'untouched', manifests, isContained: true });
    try {
      await agent.synced;
      const complaints = agent.log.filter(isComplaint);
      expect(complaints).toContainEqual(
        expect.objectContaining({
          level: 'error',
          key: 'net.ipv4.vs.conntrack',
          found: '0',
          error: expect.stringContaining('EROFS'),
          remedy: expect.stringContaining('sysctl -w net.ipv4.vs.conntrack=1'),
        }),
      );
      expect(complaints).toContainEqual(
        expect.objectContaining({ level: 'warn', key: 'net.netfilter.nf_conntrack_tcp_timeout_close_wait' }),
      );
    } finally {
      await agent.end('SIGTERM');
    }
  });

  it('ends with 1 when it cannot set what it is asked for', async () => {
    const flags = ['--ipvs-strict-arp', '--conntrack-udp-timeout=77s'];
    const { status, stderr } = await sluice('untouched', ['run', ...flags], { isContained: true });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^sluice: settings of the host that the configuration asks for cannot be set:$/m);
    for (const [key, value] of [
      ['net.ipv4.conf.all.arp_ignore', '1'],
      ['net.ipv4.conf.all.arp_announce', '2'],
      ['net.netfilter.nf_conntrack_udp_timeout', '77'],
    ]) {
      expect(stderr).toContain(`expected ${key}=${value}, found `);
      expect(stderr).toContain(`sysctl -w ${key}=${value}`);
    }
  });
});

describe('the size of the connection tracking table', () => {
  const path = '/proc/sys/net/netfilter/nf_conntrack_max';

  it('is set where the kernel lets it be set, which is the first network namespace', async () => {
    const before = await output('-', ['cat', path]);
    // 0444 in every other network namespace (nf_conntrack_standalone.c).
    const isWritable = ((await stat(path)).mode & 0o200) !== 0;
    const flags = ['--init-only', '--conntrack-max-per-core=1', '--conntrack-min=100000'];
    const { status, lines } = await sluice('-', ['run', ...flags]);
    expect(status).toBe(isWritable ? 0 : 1);
    expect(await output('-', ['cat', path])).toBe(isWritable ? '100000\n' : before);
    const refused = lines.filter((line) => isComplaint(line) && line['key'] === 'net.netfilter.nf_conntrack_max');
    expect(refused).toHaveLength(isWritable ? 0 : 1);
    const hashsize = Number(await output('-', ['cat', '/sys/module/nf_conntrack/parameters/hashsize']));
    expect(hashsize).toBeGreaterThanOrEqual(isWritable ? 25_000 : 0);
  });

  it('is refused by the kernel in another one, and the agent tells and runs', async () => {
    const { status, lines } = await sluice('untouched', ['run', '--init-only', '--conntrack-min=100001']);
    expect(status).toBe(1);
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 'error',
        key: 'net.netfilter.nf_conntrack_max',
        error: expect.stringMatching(/EACCES|EPERM/),
      }),
    );
  });
});

describe('the agent with a configuration file', () => {
  let agent: Agent;
  let config = '';

  beforeAll(async () => {
    config = await writeConfig('watched.conf', ['ipvs: {scheduler: lc, burst: 1}', 'enableProfiling: true']);
    const flags = [`--config=${config}`, '--ipvs-scheduler=sh', '--health-port=20244', '--metrics-path=/numbers'];
    agent = startAgent({ node: 'watched', manifests, flags });
    await agent.synced;
  });

  afterAll(() => agent.end('SIGKILL'));

  it('does what the file says, and warns once of each kind', async () => {
    expect(await output('watched', ['ipvsadm', '-Ln'])).toMatch(/TCP +10\.96\.0\.1:80 lc/);
    expect(agent.log.filter((line) => line['settings'] !== undefined)).toMatchObject([
      { settings: { 'ipvs.burst': expect.stringContaining('unknown') } },
      { settings: { enableProfiling: expect.any(String) } },
      { settings: { '--ipvs-scheduler': 'the file has a field for it' } },
    ]);
  });

  it('answers where kube-router does, if it is told to', async () => {
    const page = (url: string): Promise<string> => output('watched', ['curl', '-sS', '--max-time', '5', url]);
    expect(JSON.parse(await page('http://127.0.0.1:20244/healthz'))).toHaveProperty('lastUpdated');
    expect(await page('http://127.0.0.1:10249/numbers')).toContain('kubeproxy_sync_proxy_rules_last_timestamp_seconds');
  });

  it('ends with 1 when another content is put in its place, and leaves everything', async () => {
    const next = await writeConfig('next.conf', ['ipvs: {scheduler: rr}']);
    await rename(next, config);
    await agent.line(({ msg }) => msg === 'the agent ended: 1');
    expect(agent.log.map(({ msg }) => msg)).toContain(
      `sluice: the configuration file ${config} has changed; start sluice again to have it read`,
    );
    expect(await output('watched', ['ipvsadm', '-Ln'])).toMatch(/TCP +10\.96\.0\.1:80 lc/);
  });

  it('ends with 1 when it cannot listen and is told to fail hard', async () => {
    const hard = await writeConfig('hard.conf', ['bindAddressHardFail: true', 'healthzBindAddress: 198.51.100.1']);
    const { status, stderr } = await sluice('watched', ['run', `--config=${hard}`]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^sluice: the health server cannot listen on 198\.51\.100\.1:10256: .*EADDRNOTAVAIL/m);
  });
});

/** By its key, as the file of the first test asks for it. */
const asked: Readonly<Record<string, string>> = {
  'net.netfilter.nf_conntrack_tcp_timeout_established': '7200',
  'net.netfilter.nf_conntrack_tcp_timeout_close_wait': '1800',
  'net.netfilter.nf_conntrack_tcp_be_liberal': '1',
  'net.netfilter.nf_conntrack_udp_timeout': '40',
  'net.netfilter.nf_conntrack_udp_timeout_stream': '200',
  'net.ipv4.conf.all.arp_ignore': '1',
  'net.ipv4.conf.all.arp_announce': '2',
  'net.ipv4.ip_forward': '1',
  'net.ipv4.vs.conntrack': '1',
  'net.ipv4.vs.expire_nodest_conn': '1',
  'net.ipv4.vs.expire_quiescent_template': '1',
  'net.ipv4.vs.conn_reuse_mode': '1',
};

async function sysctls(host: Host, keys: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const values = await output(host, ['sysctl', '-n', ...keys]);
  return Object.fromEntries(
    values
      .trim()
      .split('\n')
      .map((value, index) => [keys[index] ?? '', value]),
  );
}

function isComplaint({ msg }: LogLine): boolean {
  return msg.startsWith('a setting of the host is not as it should be');
}

async function writeConfig(name: string, fields: readonly string[]): Promise<string> {
  const path = join(folder, name);
  const head = ['apiVersion: kubeproxy.config.k8s.io/v1alpha1', 'kind: KubeProxyConfiguration'];
  await writeFile(path, `${[...head, ...fields].join('\n')}\n`);
  return path;
}

interface Run {
  readonly status: number;
  readonly lines: readonly LogLine[];
  readonly stderr: string;
}

async function sluice(
  host: Host | '-',
  words: readonly string[],
  { isContained = false }: { readonly isContained?: boolean } = {},
): Promise<Run> {
  const command = [process.execPath, bundle, ...words, `--manifests=${manifests}`, `--hostname-override=${hosts[0]}`];
  const { status, stdout, stderr } = await execute(host, isContained ? contained(command) : command);
  const lines = stdout.split('\n').filter((line) => line !== '');
  return { status, stderr, lines: lines.map((line) => JSON.parse(line) as LogLine) };
}
