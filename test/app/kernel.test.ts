import { hostname, release } from 'node:os';
import { describe, expect, it, vi } from 'vitest';
import { makeConfig } from '../../src/app/config/make-config.ts';
import { openKernel } from '../../src/app/kernel.ts';
import { errno, KernelError } from '../../src/kernel/error.ts';

const refusal = vi.hoisted(() => ({ code: 'ENOENT' as 'ENOENT' | 'EPERM' }));

vi.mock('../../src/kernel/ipvs/open-ipvs.ts', () => ({
  openIpvs: () => {
    throw new KernelError('resolve generic netlink family IPVS', errno[refusal.code]);
  },
}));

describe('a kernel that cannot be worked with', () => {
  it('is told of with what helps: ip_vs is missing (moby/ipvs#27: reported as success)', () => {
    refusal.code = 'ENOENT';
    expect(() => openKernel(makeConfig({}))).toThrow(
      `expected a kernel with IPVS that this process may use, found: Linux ${release()} on ${hostname()} says resolve generic netlink family IPVS: ENOENT; `,
    );
    expect(() => openKernel(makeConfig({}))).toThrow(/run modprobe ip_vs on th/);
  });

  it('is told of with what helps: not allowed', () => {
    refusal.code = 'EPERM';
    expect(() => openKernel(makeConfig({}))).toThrow(/EPERM; run as root, or with the capability NET_ADMIN/);
  });
});
