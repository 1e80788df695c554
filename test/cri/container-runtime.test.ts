import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ContainerRuntimePort } from '../../src/cri/container-runtime.ts';
import { isContainerRuntimeError } from '../../src/cri/container-runtime.ts';
import { openContainerRuntime } from '../../src/cri/open-container-runtime.ts';
import { findRuntimeSocket } from '../../src/cri/runtime-endpoint.ts';
import { type RuntimeServer, servedSandbox, serveRuntime } from './runtime-server.ts';

describe('asking the container runtime', () => {
  let folder: string;
  let server: RuntimeServer;
  let runtime: ContainerRuntimePort;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-cri-'));
    server = await serveRuntime(join(folder, 'runtime.sock'));
    runtime = openContainerRuntime(server.socket, { timeoutMs: 2_000 });
  });
  afterEach(() => {
    runtime.close();
    server.close();
    rmSync(folder, { recursive: true });
  });

  function serve(...given: readonly Parameters<typeof servedSandbox>[0][]): void {
    for (const each of given) server.sandboxes.set(each.id, servedSandbox(each));
  }

  it('finds the sandbox of a pod among others', async () => {
    serve({ id: 'a' }, { id: 'b', name: 'web2' }, { id: 'c', namespace: 'other' }, { id: 'd', isReady: false });
    expect(await runtime.findSandboxes('default/web')).toEqual([
      {
        id: 'a',
        pod: 'default/web',
        addresses: ['10.1.0.2', 'fd01::2'],
        networkNamespace: '/run/netns/cni-a',
        isHostNetwork: false,
      },
    ]);
    expect(await runtime.findSandboxes('default/none')).toEqual([]);
  });

  it('brings back both while one is replaced', async () => {
    serve({ id: 'a' }, { id: 'b', addresses: ['10.1.0.3'] });
    expect((await runtime.findSandboxes('default/web')).map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('writes addresses as everywhere else, and says which pod has the network of the node', async () => {
    serve(
      { id: 'a', addresses: ['10.1.0.2', 'FD01:0::2'] },
      { id: 'b', name: 'host', addresses: [], isHostNetwork: true },
    );
    expect((await runtime.readSandbox('a'))?.addresses).toEqual(['10.1.0.2', 'fd01::2']);
    expect(await runtime.readSandbox('b')).toMatchObject({ isHostNetwork: true, addresses: [] });
  });

  it('knows that a sandbox vanished, and one that stopped', async () => {
    serve({ id: 'a', isReady: false });
    expect(await runtime.readSandbox('a')).toBeUndefined();
    expect(await runtime.readSandbox('b')).toBeUndefined();
  });

  it.each([
    ['no JSON', '{'],
    ['no object', '7'],
    ['no specification', '{}'],
    ['no list', '{"runtimeSpec":{"linux":{"namespaces":{}}}}'],
    ['no path', '{"runtimeSpec":{"linux":{"namespaces":[{"type":"network"}]}}}'],
    ['no absolute path', '{"runtimeSpec":{"linux":{"namespaces":[{"type":"network","path":"cni-a"}]}}}'],
  ])('does without a network namespace where its information is %s', async (_, info) => {
    serve({ id: 'a' });
    server.info = () => info;
    expect(await runtime.readSandbox('a')).toMatchObject({ id: 'a', networkNamespace: undefined });
  });

  it('says who is not there, and finds a runtime that came back', async () => {
    serve({ id: 'a' });
    server.close();
    await expectFailure(runtime.findSandboxes('default/web'), 'unavailable', /ListPodSandbox at .*runtime\.sock/);
    server = await serveRuntime(server.socket);
    serve({ id: 'a' });
    await expect.poll(() => runtime.readSandbox('a').catch(() => undefined)).toMatchObject({ id: 'a' });
  });

  it('does not wait for ever', async () => {
    const impatient = openContainerRuntime(server.socket, { timeoutMs: 100 });
    server.isDeaf = true;
    await expectFailure(impatient.readSandbox('a'), 'unavailable', /none within 0\.1 s/);
    impatient.close();
  });

  it('says that it is another server', async () => {
    const { Server, ServerCredentials } = await import('@grpc/grpc-js');
    const socket = join(folder, 'other.sock');
    const other = new Server();
    await new Promise<void>((resolve) => {
      other.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), () => resolve());
    });
    const asking = openContainerRuntime(socket);
    await expectFailure(asking.readSandbox('a'), 'refused', /without version v1/);
    asking.close();
    other.forceShutdown();
  });
});

describe('the socket of the container runtime', () => {
  it('is the first of the usual ones that exists', () => {
    expect(findRuntimeSocket(() => true)).toBe('/run/containerd/containerd.sock');
    expect(findRuntimeSocket((path) => path.includes('crio'))).toBe('/run/crio/crio.sock');
    expect(findRuntimeSocket(() => false)).toBeUndefined();
  });
});

async function expectFailure(answer: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  const error: unknown = await answer.then(() => undefined).catch((thrown: unknown) => thrown);
  expect(isContainerRuntimeError(error) ? error.code : error).toBe(code);
  expect(String(error)).toMatch(message);
}
