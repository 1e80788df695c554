import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOf } from '../../../src/app/direct-return/failure.ts';
import { runtimeOpener } from '../../../src/app/direct-return/open-runtime.ts';
import { ContainerRuntimeError } from '../../../src/cri/container-runtime.ts';
import { errno, KernelError } from '../../../src/kernel/error.ts';
import { type RuntimeServer, servedSandbox, serveRuntime } from '../../cri/runtime-server.ts';

let root: string;
let server: RuntimeServer | undefined;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-host-'));
});
afterEach(() => {
  server?.close();
  server = undefined;
  rmSync(root, { recursive: true });
});

const serve = async (path: string): Promise<void> => {
  server = await serveRuntime(join(root, path));
  server.sandboxes.set('a', servedSandbox({ id: 'a' }));
};

describe('the container runtime', () => {
  it('is missed with the flag that names it, until it is there', async () => {
    const runtime = runtimeOpener(undefined, root);
    expect(await runtime.open()).toMatchObject({
      kind: 'failed',
      reason: 'container-runtime-unset',
      expected: expect.stringContaining('--runtime-endpoint'),
    });
    mkdirSync(join(root, 'run/crio'), { recursive: true });
    await serve('run/crio/crio.sock');
    const opened = await runtime.open();
    expect('kind' in opened ? [] : await opened.findSandboxes('default/web')).toHaveLength(1);
    expect(await runtime.open()).toBe(opened);
    runtime.close();
  });

  it('is the one that was named, below the root of the host', async () => {
    await serve('named.sock');
    const runtime = runtimeOpener('/named.sock', root);
    const opened = await runtime.open();
    expect('kind' in opened ? [] : await opened.findSandboxes('default/web')).toHaveLength(1);
    runtime.close();
  });
});

describe('what keeps a pod from being prepared', () => {
  it.each([
    [new ContainerRuntimeError('unavailable', 'nobody'), 'container-runtime-unavailable', 'runtime that answers'],
    [new KernelError('enter', errno.EPERM), 'pod-tunnel-refused', 'SYS_ADMIN'],
    [new KernelError('add VIP', errno.EACCES), 'pod-tunnel-refused', 'tunnel device with the VIPs'],
    [new Error('no space left on device'), 'pod-tunnel-refused', 'tunnel device with the VIPs'],
  ])('is told in the words of a refusal: %s', (error, reason, expected) => {
    expect(failureOf(error)).toMatchObject({
      reason,
      found: error.message,
      expected: expect.stringContaining(expected),
    });
  });
});
