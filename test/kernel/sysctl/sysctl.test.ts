import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isKernelError } from '../../../src/kernel/error.ts';
import { fakeSysctl } from '../../../src/kernel/fake/sysctl.ts';
import type { SysctlPort } from '../../../src/kernel/ports.ts';
import { openSysctl } from '../../../src/kernel/sysctl/open-sysctl.ts';
import { sysctlPath } from '../../../src/kernel/sysctl/sysctl-path.ts';

const values = { 'net.ipv4.vs.conntrack': '0', 'net/ipv4/conf/eth0.100/rp_filter': '2\n' };

/** What every SysctlPort does on a host with `values`. */
function testSysctlContract(open: () => SysctlPort): void {
  it('reads by dots and by slashes, trimmed', () => {
    const port = open();
    expect(port.read('net.ipv4.vs.conntrack')).toBe('0');
    expect(port.read('net/ipv4/vs/conntrack')).toBe('0');
    expect(port.read('net.ipv4.conf.eth0/100.rp_filter')).toBe('2');
    expect(port.read('net/ipv4/conf/eth0.100/rp_filter')).toBe('2');
  });

  it('knows nothing of a key that does not exist, and refuses to write it', () => {
    const port = open();
    expect(port.read('net.ipv4.vs.nothing')).toBeUndefined();
    expect(port.read('net.ipv4.vs.conntrack.more')).toBeUndefined();
    expect(codeOf(() => port.write('net.ipv4.vs.nothing', '1'))).toBe('ENOENT');
    expect(port.read('net.ipv4.vs.nothing')).toBeUndefined();
  });

  it('writes what it then reads', () => {
    const port = open();
    port.write('net.ipv4.vs.conntrack', '1');
    expect(port.read('net.ipv4.vs.conntrack')).toBe('1');
  });

  it('refuses what is no key', () => {
    const port = open();
    for (const key of ['', 'net..ipv4', 'net/../../etc/passwd', '/net/ipv4', 'net/./ipv4']) {
      expect([key, codeOf(() => port.read(key)), codeOf(() => port.write(key, '1'))]).toEqual([
        key,
        'EINVAL',
        'EINVAL',
      ]);
    }
  });
}

describe('settings below a folder', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'sluice-sysctl-'));
    for (const [key, value] of Object.entries(values)) {
      const path = join(root, sysctlPath(key) ?? '');
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, value);
    }
  });
  afterEach(() => rmSync(root, { recursive: true }));

  testSysctlContract(() => openSysctl(root));

  it('keeps the original error as the cause', () => {
    const thrown = thrownBy(() => openSysctl(root).write('net.ipv4', '1'));
    expect(thrown).toMatchObject({ code: 'errno-21', operation: 'write sysctl net.ipv4', cause: { code: 'EISDIR' } });
    expect(readFileSync(join(root, 'net/ipv4/vs/conntrack'), 'utf8')).toBe('0');
  });
});

describe('settings in memory', () => {
  testSysctlContract(() => fakeSysctl(values));

  it('refuses what it is told to, once, and keeps what was written', () => {
    const port = fakeSysctl(values);
    port.failNext(({ value }) => value === '1', 'EROFS');
    expect(codeOf(() => port.write('net.ipv4.vs.conntrack', '1'))).toBe('EROFS');
    port.write('net.ipv4.vs.conntrack', '1');
    expect(port.writes).toEqual([{ key: 'net.ipv4.vs.conntrack', value: '1' }]);
  });
});

describe('the kernel’s settings', () => {
  it('reads what every Linux has', () => {
    expect(openSysctl().read('kernel.ostype')).toBe('Linux');
  });

  it('refuses a value that the kernel refuses', () => {
    expect(codeOf(() => openSysctl().write('kernel.ostype', 'x'))).toMatch(/^(EACCES|EPERM|EROFS)$/);
  });
});

function thrownBy(call: () => unknown): unknown {
  try {
    call();
    return undefined;
  } catch (thrown) {
    return thrown;
  }
}

function codeOf(call: () => unknown): string | undefined {
  const thrown = thrownBy(call);
  return isKernelError(thrown) ? thrown.code : undefined;
}
