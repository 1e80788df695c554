import { describe, expect, it } from 'vitest';
import type { CleanupReport } from '../../src/app/cleanup-report.ts';
import type { Config } from '../../src/app/config/config.ts';
import { makeConfig } from '../../src/app/config/make-config.ts';
import type { MigrationPlan } from '../../src/app/migrate/migrate.ts';
import type { Preview } from '../../src/app/preview.ts';
import type { TraceReport } from '../../src/app/trace.ts';
import { runCommandLine } from '../../src/cli/command-line.ts';
import type { Output } from '../../src/cli/environment.ts';
import type { Packet } from '../../src/core/trace/packet.ts';
import type { Trace } from '../../src/core/trace/result.ts';
import { rules } from '../../src/core/trace/rules.ts';
import { noFile } from '../support/no-file.ts';

const preview: Preview = {
  services: [
    {
      service: 'default/web',
      changes: [
        { verb: 'add', what: 'virtual server TCP 10.96.0.1:80', detail: 'rr' },
        { verb: 'change', what: 'destination 10.1.0.2:80 of TCP 10.96.0.1:80', detail: 'weight 0' },
      ],
      refusals: [
        { reason: 'scheduler-unknown', subject: 'annotation', found: '"wlcc"', expected: 'a scheduler of the kernel' },
      ],
    },
    { service: '', changes: [{ verb: 'remove', what: 'VIP 10.96.0.9' }], refusals: [] },
  ],
  foreign: ['TCP 192.0.2.1:80'],
  counts: { services: 12, operations: 3 },
};

const migration: MigrationPlan = {
  outstanding: 0,
  agent: undefined,
  proxies: [
    {
      proxy: 'kube-proxy',
      running: { state: 'stopped', how: 'no process kube-proxy in this network namespace' },
      adopted: 12,
      remove: ['IPv4 nat chain KUBE-SERVICES', 'interface kube-ipvs0'],
      keep: [{ what: 'virtual server TCP 192.0.2.10:30080', why: 'nothing tells whose it is' }],
    },
    {
      proxy: 'kube-router',
      running: { state: 'running', how: 'something listens at port 20244' },
      adopted: 12,
      remove: [],
      keep: [],
    },
  ],
};

const report: CleanupReport = {
  removed: ['virtual server TCP 10.96.0.1:80', 'nftables table inet sluice'],
  kept: [{ what: 'VIP interface', why: 'addresses of others are on it' }],
  failed: [{ what: 'VIP 10.96.0.2', error: 'EBUSY' }],
};

function balanced(packet: Packet): Trace {
  const [address, weight, forwarding] = ['10.1.0.2', 1, 'masquerade'] as const;
  return {
    packet,
    steps: [
      { step: 'source', kind: 'other-host', address: packet.source, why: 'neither a pod nor this node' },
      { step: 'destination', kind: 'vip' },
      { step: 'rule', rule: rules.masqueradeOutside, element: 'masquerade_outside TCP 10.96.0.1:80', mark: 0x4000 },
      {
        step: 'virtual-server',
        key: 'TCP 10.96.0.1:80',
        view: 'plain',
        origin: 'default/web:http',
        scheduler: 'lc',
        persistenceSeconds: 10_800,
      },
    ],
    verdict: {
      kind: 'balanced',
      destinations: [
        {
          key: '10.1.0.2:8080',
          address,
          weight,
          forwarding,
          sees: { kind: 'masqueraded', address: '10.1.0.1', rule: rules.sourceNat },
        },
        {
          key: '10.1.0.13:8080',
          address,
          weight: 3,
          forwarding,
          sees: { kind: 'unchanged', address: packet.source },
        },
      ],
    },
  };
}

function traceReport(packet: Packet, inKernel: Trace | undefined): TraceReport {
  const wanted = balanced(packet);
  return { node: 'node1', wanted, inKernel: inKernel ?? wanted };
}

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Command and configuration that the application was asked for. */
  readonly asked: readonly (readonly [string, Config])[];
}

interface Setting {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly report?: CleanupReport;
  readonly preview?: Preview;
  readonly inKernel?: Trace;
  readonly error?: Error;
  readonly readText?: (path: string) => string;
  readonly isPrepared?: boolean;
}

async function sluice(commandLine: string, setting: Setting = {}): Promise<Run> {
  const asked: (readonly [string, Config])[] = [];
  const text = { stdout: '', stderr: '' };
  const output = (name: 'stdout' | 'stderr'): Output => ({
    write: (part) => (text[name] += part),
    isTTY: setting.isTTY ?? false,
    columns: setting.columns ?? 80,
  });
  const ask = <Answer>(name: string, config: Config, answer: Answer): Promise<Answer> => {
    asked.push([name, config]);
    return setting.error === undefined ? Promise.resolve(answer) : Promise.reject(setting.error);
  };
  const code = await runCommandLine(
    {
      argv: commandLine === '' ? [] : commandLine.split(' '),
      env: setting.env ?? {},
      stdout: output('stdout'),
      stderr: output('stderr'),
      readText: setting.readText ?? noFile,
      stop: new AbortController().signal,
      processId: 77,
      readProcess: () => ({ residentBytes: 0, cpuSeconds: 0, startTimeSeconds: 0 }),
      version: '1.2.3',
    },
    {
      runAgent: ({ config }) => ask('run', config, undefined),
      prepareNode: ({ config }) => ask('prepare', config, setting.isPrepared ?? true),
      cleanup: (config) => ask('cleanup', config, setting.report ?? report),
      planMigration: (config) => ask('migrate plan', config, migration),
      migrate: (config, step, whileRunning) =>
        ask(`migrate ${step}${whileRunning ? ' while running' : ''}`, config, setting.report ?? report),
      preview: (config) => ask('plan', config, setting.preview ?? preview),
      trace: (config, packet) => ask('trace', config, traceReport(packet, setting.inKernel)),
    },
  );
  return { code, ...text, asked };
}

describe('the command', () => {
  it.each([
    ['', 'run'],
    ['run', 'run'],
    ['--log-level=debug', 'run'],
    ['--log-level debug run', 'run'],
    ['plan', 'plan'],
    ['cleanup', 'cleanup'],
    ['trace node 10.96.0.1:80', 'trace'],
    ['migrate plan', 'migrate plan'],
    ['migrate from-kube-router', 'migrate from-kube-router'],
    ['migrate --while-running from-kube-proxy', 'migrate from-kube-proxy while running'],
    ['--cleanup', 'cleanup'],
    ['--cleanup-config', 'cleanup'],
    ['run --cleanup-config=true', 'cleanup'],
    ['--cleanup=false', 'run'],
  ])('"sluice %s" does %s', async (commandLine, expected) => {
    const { asked } = await sluice(commandLine);
    expect(asked.map(([name]) => name)).toEqual([expected]);
  });

  it('gets the configuration, wherever the flags stand', async () => {
    const expected = makeConfig({ ipvsScheduler: 'lc', vipMode: 'route' });
    const { asked } = await sluice('--ipvs-scheduler lc plan --vip-mode=route');
    expect(asked).toEqual([['plan', expected]]);
  });

  it('that fails, says why in one line and exits with 1', async () => {
    const { code, stdout, stderr } = await sluice('run', { error: new Error('ipvs: EPERM') });
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: 'sluice: ipvs: EPERM\n' });
  });
});

describe('a wrong command line', () => {
  it('has all its problems told, does nothing and exits with 2', async () => {
    const run = await sluice('pln --ipvs-sync-period=30 --bogus-nonsense -o yaml --log-level=loud');
    expect({ code: run.code, stdout: run.stdout, asked: run.asked }).toEqual({ code: 2, stdout: '', asked: [] });
    expect(run.stderr).toMatchInlineSnapshot(`
      "sluice: expected a command: run, plan, trace, cleanup, migrate, manifest, version, given "pln". Perhaps plan was meant.
      --bogus-nonsense: expected a flag that sluice has, given one that it has not. See sluice --help.
      --ipvs-sync-period: expected a duration of at least 1s such as 30s or 1m30s, given "30". Add a unit: 30s.
      --log-level: expected one of error, warn, info, debug, trace, given "loud". Choose from the list.
      --output: expected text or json, given "yaml". Write -o text or -o json.
      "
    `);
  });

  it('is not forgiven a word too many', async () => {
    const { code, stderr } = await sluice('run --masquerade-all false');
    expect([code, stderr]).toEqual([2, expect.stringContaining('given "false". Remove it, or write --flag=value')]);
  });
});

describe('a configuration file', () => {
  const head = 'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n';
  const withFile = (fields: string): Setting => ({ readText: () => head + fields });

  it('decides, and what has no effect is told on standard error', async () => {
    const text = 'ipvs: {scheduler: lc, burst: 1}\nenableProfiling: true\n';
    const { code, stderr, asked } = await sluice('plan --config=/c.conf --ipvs-scheduler=sh', withFile(text));
    expect(code).toBe(0);
    expect(asked).toEqual([['plan', makeConfig({ configFile: '/c.conf', ipvsScheduler: 'lc' })]]);
    expect(stderr).toMatchInlineSnapshot(`
      "warning: the configuration file is accepted, though not all of it is as it should be: ipvs.burst (unknown; it does not count)
      warning: these settings have no effect: enableProfiling (it belongs to the Go runtime)
      warning: the configuration file decides in place of these flags: --ipvs-scheduler (the file has a field for it)
      "
    `);
  });

  it('that is wrong has all its problems told after its warnings, with those of the flags', async () => {
    const text = 'clusterCidr: 10.0.0.0/8\nipvs: {syncPeriod: 30, minSyncPeriod: 1h}\noomScoreAdj: 2000\n';
    const { code, stderr, asked } = await sluice('--config=/c.conf --vip-mode=x --run-router', withFile(text));
    expect({ code, asked }).toEqual({ code: 2, asked: [] });
    expect(stderr).toMatchInlineSnapshot(`
      "warning: the configuration file is accepted, though not all of it is as it should be: clusterCidr (unknown, perhaps clusterCIDR was meant; it does not count)
      /c.conf:4 ipvs.syncPeriod: expected a duration such as "30s", given the number 30. Write it with a unit: "30s".
      /c.conf:5 oomScoreAdj: expected a whole number from -1000 to 1000, given "2000". Choose one from -1000 to 1000.
      --vip-mode: expected one of address, route, given "x". Choose from the list.
      --run-router: expected nothing here, since sluice routes nothing and announces nothing, given "true". Leave it to kube-router, run with --run-service-proxy=false.
      ipvs.minSyncPeriod (--ipvs-min-sync-period): expected at most the sync period of 30s, given 1h. Shorten it, or lengthen --ipvs-sync-period.
      "
    `);
  });

  it('that is not there is told', async () => {
    const { code, stderr } = await sluice('--config=/c.conf');
    expect({ code, stderr }).toMatchInlineSnapshot(`
      {
        "code": 2,
        "stderr": "--config: expected a file that can be read, given "/c.conf": ENOENT: /c.conf. Correct the path, or mount the file.
      ",
      }
    `);
  });
});

describe('--init-only', () => {
  it('prepares the node instead of running, and exits with 0 or 1', async () => {
    const { code, asked } = await sluice('run --init-only --ipvs-strict-arp');
    expect([code, asked]).toEqual([0, [['prepare', makeConfig({ initOnly: true, ipvsStrictARP: true })]]]);
    expect((await sluice('--init-only', { isPrepared: false })).code).toBe(1);
  });
});

describe('help', () => {
  it('is wrapped to the terminal, whatever its width', async () => {
    for (const columns of [50, 80, 100, 200]) {
      const { stdout } = await sluice('--help', { columns });
      const long = stdout.split('\n').filter((line) => line.length > columns && !line.startsWith('  sluice'));
      expect(long).toEqual([]);
    }
  });

  it('groups every flag and names its aliases and defaults', async () => {
    const { code, stdout } = await sluice('-h', { columns: 100 });
    expect(code).toBe(0);
    expect(stdout).toContain('Where Services come from:\n  --kubeconfig FILE');
    expect(stdout).toMatch(/--vip-interface NAME .*\n.* Default: kube-dummy-if\./);
    expect(stdout).toContain('--ipvs-exclude-cidrs');
  });

  it.each(['plan --help', '--help plan'])('of one command: sluice %s', async (commandLine) => {
    const { stdout } = await sluice(commandLine);
    expect(stdout).toMatch(/^sluice plan: show what a sync would change/);
    expect(stdout).toContain('-o, --output text|json');
  });

  it('is shown even when the rest of the command line is wrong', async () => {
    expect((await sluice('--ipvs-sync-period=x --help')).code).toBe(0);
  });

  it('has colours on a terminal only, and not against NO_COLOR', async () => {
    expect((await sluice('--help', { isTTY: true })).stdout).toContain('\u001b[');
    expect((await sluice('--help')).stdout).not.toContain('\u001b[');
    expect((await sluice('--help', { isTTY: true, env: { NO_COLOR: '1' } })).stdout).not.toContain('\u001b[');
  });
});

describe('version', () => {
  it.each(['version', '--version'])('is printed by sluice %s', async (commandLine) => {
    expect((await sluice(commandLine)).stdout).toBe('sluice 1.2.3\n');
  });
});

describe('plan', () => {
  it('lists the changes by Service', async () => {
    const { code, stdout } = await sluice('plan');
    expect(code).toBe(0);
    expect(stdout).toMatchInlineSnapshot(`
      "default/web
        + virtual server TCP 10.96.0.1:80              rr
        ~ destination 10.1.0.2:80 of TCP 10.96.0.1:80  weight 0
        ! annotation: scheduler-unknown, found "wlcc", expected a scheduler of the kernel

      no Service
        - VIP 10.96.0.9

      not sluice’s, left alone
        · TCP 192.0.2.1:80

      12 Services: 1 to add, 1 to change, 1 to remove, 1 refused, 1 of others left alone
      "
    `);
  });

  it('says when all is in sync', async () => {
    const clean = { services: [], foreign: [], counts: { services: 1, operations: 0 } };
    expect((await sluice('plan', { preview: clean })).stdout).toBe('1 Service: in sync\n');
  });

  it('is complete in JSON', async () => {
    expect(JSON.parse((await sluice('plan -o json')).stdout)).toEqual(preview);
  });

  it('keeps its columns under colours', async () => {
    const plain = (await sluice('plan')).stdout;
    const coloured = (await sluice('plan', { isTTY: true })).stdout;
    expect(coloured).not.toBe(plain);
    expect(coloured.replaceAll(/\p{Cc}\[\d+m/gu, '')).toBe(plain);
  });
});

describe('cleanup', () => {
  it('lists what it did and exits with 1 when something stayed that should not', async () => {
    const { code, stdout } = await sluice('cleanup');
    expect(code).toBe(1);
    expect(stdout).toMatchInlineSnapshot(`
      "Could not be removed: 1
        VIP 10.96.0.2: EBUSY
      Left alone: 1
        VIP interface: addresses of others are on it
      Removed: 2
        virtual server TCP 10.96.0.1:80
        nftables table inet sluice
      Run the same command again when the cause is gone.
      "
    `);
  });

  it('exits with 0 when only what belongs to others stayed', async () => {
    expect((await sluice('cleanup', { report: { ...report, failed: [] } })).code).toBe(0);
  });

  it('says that a clean node is clean', async () => {
    const { code, stdout } = await sluice('cleanup', { report: { removed: [], kept: [], failed: [] } });
    expect([code, stdout]).toEqual([0, 'Nothing to remove is on this node.\n']);
  });

  it('is complete in JSON', async () => {
    expect(JSON.parse((await sluice('cleanup --output=json')).stdout)).toEqual(report);
  });
});

describe('trace', () => {
  it('shows what the packet meets, its end, and what each endpoint sees', async () => {
    const { code, stdout } = await sluice('trace 203.0.113.9 10.96.0.1:80');
    expect(code).toBe(0);
    expect(stdout).toMatchInlineSnapshot(`
      "TCP from 203.0.113.9 to 10.96.0.1:80, on node1

        source       another host, 203.0.113.9: neither a pod nor this node
        destination  a VIP
        before_ipvs  rule "clients that are no pods", element masquerade_outside TCP 10.96.0.1:80, mark 0x4000
        ipvs         virtual server TCP 10.96.0.1:80, Service default/web:http, scheduler lc, a client keeps its endpoint for 10800 s
        FORWARDED    to one of 2 endpoints
                     10.1.0.2:8080   weight 1, sees 10.1.0.1 by masquerade: asked for before IPVS
                     10.1.0.13:8080  weight 3, sees 203.0.113.9

      The kernel holds the same.
      "
    `);
  });

  it('says that a scheduler goes by the client', async () => {
    const packet: Packet = { source: undefined, destination: '10.96.0.1', protocol: 'TCP', port: 80 };
    const server = { step: 'virtual-server', key: 'FWM 1 IPv4', view: 'inside', origin: undefined } as const;
    const steps: Trace['steps'] = [{ ...server, scheduler: 'mh', persistenceSeconds: 0 }];
    const inKernel: Trace = { packet, steps, verdict: { kind: 'rejected', why: 'no-endpoint' } };
    const { stdout } = await sluice('trace node 10.96.0.1:80', { inKernel });
    expect(stdout).toContain(
      'virtual server FWM 1 IPv4, not sluice’s, view of clients inside (fwmark), scheduler mh, which chooses by the client’s address',
    );
    expect(stdout).toContain('REJECTED  the Service has no endpoint');
  });

  it('shows both ways when the kernel does not hold what it should', async () => {
    const packet: Packet = { source: undefined, destination: 'fd00::1', protocol: 'UDP', port: 53 };
    const inKernel: Trace = { packet, steps: [], verdict: { kind: 'passed', why: 'no-virtual-server' } };
    const { stdout } = await sluice('trace node [fd00::1]:53/udp', { inKernel });
    expect(stdout).toMatchInlineSnapshot(`
      "UDP from a process on node1 to [fd00::1]:53, on node1

        source       another host, address not known: neither a pod nor this node
        destination  a VIP
        before_ipvs  rule "clients that are no pods", element masquerade_outside TCP 10.96.0.1:80, mark 0x4000
        ipvs         virtual server TCP 10.96.0.1:80, Service default/web:http, scheduler lc, a client keeps its endpoint for 10800 s
        FORWARDED    to one of 2 endpoints
                     10.1.0.2:8080   weight 1, sees 10.1.0.1 by masquerade: asked for before IPVS
                     10.1.0.13:8080  weight 3, sees an address of this node

      The kernel does not hold this now. By what it holds:

        GOES ON  not sluice’s: no Service has this address and port; a server on the node may answer

      sluice plan shows what differs.
      "
    `);
  });

  it('is complete in JSON', async () => {
    const packet: Packet = { source: '203.0.113.9', destination: '10.96.0.1', protocol: 'TCP', port: 80 };
    const { stdout } = await sluice('trace 203.0.113.9 10.96.0.1:80 -o json');
    expect(JSON.parse(stdout)).toEqual(traceReport(packet, undefined));
  });

  it('has what is wrong with the packet told with what is wrong with the flags', async () => {
    const run = await sluice('trace web 10.96.0.1 --log-level=loud');
    expect([run.code, run.stdout, run.stderr.split('\n').length]).toEqual([2, '', 4]);
  });
});

describe('migrate', () => {
  it('plan tells of each proxy what it leaves, what goes and what stays', async () => {
    expect((await sluice('migrate plan')).stdout).toMatchInlineSnapshot(`
      "sluice
        agent: none works in this network namespace
        in the kernel: in sync

      kube-proxy
        stopped: no process kube-proxy in this network namespace
        virtual servers that are sluice’s now: 12
        - IPv4 nat chain KUBE-SERVICES
        - interface kube-ipvs0
        · virtual server TCP 192.0.2.10:30080: nothing tells whose it is

      kube-router
        running: something listens at port 20244
        nothing to remove
      "
    `);
    expect(JSON.parse((await sluice('migrate plan -o json')).stdout)).toEqual(JSON.parse(JSON.stringify(migration)));
  });

  it('reports like cleanup, and fails where something could not be removed', async () => {
    const { code, stdout } = await sluice('migrate from-kube-proxy -o json');
    expect({ code, report: JSON.parse(stdout) as unknown }).toEqual({ code: 1, report });
  });

  it.each(['migrate', 'migrate now', 'migrate plan now'])('"sluice %s" is told what it can do', async (line) => {
    const { code, stderr, asked } = await sluice(line);
    expect({ code, asked }).toEqual({ code: 2, asked: [] });
    expect(stderr).toContain('sluice migrate: expected one of plan, from-kube-proxy, from-kube-router');
  });
});
