import { readlinkSync } from 'node:fs';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openIpvsSockopt, openNetlink, withNetworkNamespace } from '../../native/index.ts';
import { linkDump, thrownBy } from './messages.ts';
import { collectGarbage, openSockets } from './process-resources.ts';

const name = `sluice-native-${process.pid}`;
const path = `/run/netns/${name}`;

beforeAll(async () => {
  await execa('ip', ['netns', 'add', name]);
  await execa('ip', ['-n', name, 'tuntap', 'add', 'only-here', 'mode', 'tun']);
});

afterAll(async () => {
  await execa('ip', ['netns', 'delete', name]);
});

describe('openNetlink with a network namespace', () => {
  it('opens the socket there and leaves the thread where it was', () => {
    const home = currentNamespace();
    const handle = openNetlink(0, { networkNamespace: path });
    expect(currentNamespace()).toBe(home);
    expect(links(handle)).toContain('only-here');
    handle.close();
    const here = openNetlink(0);
    expect(links(here)).not.toContain('only-here');
    here.close();
  });

  it('opens an IPVS socket there too', () => {
    const handle = openIpvsSockopt({ networkNamespace: path });
    expect(handle.get(2, Buffer.alloc(4))).toBe(4);
    handle.close();
  });

  it('names the errno of a path that is no network namespace, and stays', () => {
    const home = currentNamespace();
    const missing = { networkNamespace: '/run/netns/sluice-no-such' };
    expect(thrownBy(() => openNetlink(0, missing))).toMatchObject({ code: 'ENOENT', syscall: 'open' });
    const other = { networkNamespace: '/proc/self/ns/mnt' };
    expect(thrownBy(() => openNetlink(0, other))).toMatchObject({ code: 'EINVAL', syscall: 'setns' });
    expect(thrownBy(() => openIpvsSockopt(missing))).toMatchObject({ code: 'ENOENT' });
    expect(thrownBy(() => openNetlink(31, { networkNamespace: path }))).toMatchObject({ code: 'EPROTONOSUPPORT' });
    expect(currentNamespace()).toBe(home);
  });

  it('leaves no descriptor behind, whether it succeeds or fails', async () => {
    await collectGarbage();
    const before = openSockets();
    for (let index = 0; index < 2000; index += 1) openNetlink(0, { networkNamespace: path }).close();
    for (let index = 0; index < 2000; index += 1) thrownBy(() => openNetlink(31, { networkNamespace: path }));
    expect(openSockets()).toBe(before);
  });
});

describe('withNetworkNamespace', () => {
  it('runs the callback there, returns its result and comes back', () => {
    const home = currentNamespace();
    const inside = withNetworkNamespace(path, currentNamespace);
    expect(inside).toMatch(/^net:\[\d+\]$/);
    expect(inside).not.toBe(home);
    expect(currentNamespace()).toBe(home);
  });

  it('comes back when the callback throws, and throws the same', () => {
    const home = currentNamespace();
    const fault = new Error('from inside');
    const thrown = thrownBy(() =>
      withNetworkNamespace(path, () => {
        throw fault;
      }),
    );
    expect(thrown).toBe(fault);
    expect(currentNamespace()).toBe(home);
  });

  it('nests', () => {
    const home = currentNamespace();
    const seen = withNetworkNamespace(path, () => {
      const back = withNetworkNamespace(`/proc/${process.pid}/task/${process.pid}/ns/net`, currentNamespace);
      return [back, currentNamespace()];
    });
    expect(seen[0]).toBe(seen[1]);
    expect(currentNamespace()).toBe(home);
  });

  it('opens sockets there without being told', () => {
    const handle = withNetworkNamespace(path, () => openNetlink(0));
    expect(links(handle)).toContain('only-here');
    handle.close();
  });

  it('refuses a callback that returns a promise', () => {
    const home = currentNamespace();
    const thrown = thrownBy(() => withNetworkNamespace(path, () => Promise.resolve(1)));
    expect(thrown).toMatchObject({ name: 'TypeError', code: 'ERR_ASYNC_CALLBACK' });
    expect(currentNamespace()).toBe(home);
  });

  it('does not call back when the namespace cannot be entered', () => {
    let calls = 0;
    const thrown = thrownBy(() => withNetworkNamespace('/run/netns/sluice-no-such', () => (calls += 1)));
    expect(thrown).toMatchObject({ code: 'ENOENT' });
    expect(calls).toBe(0);
  });
});

function currentNamespace(): string {
  return readlinkSync('/proc/thread-self/ns/net');
}

/** All bytes of a dump of the links, which hold their names. */
function links(handle: ReturnType<typeof openNetlink>): string {
  const into = Buffer.alloc(65536);
  let text = '';
  let length = handle.exchange(linkDump(), 32, into, 1000);
  while (into.readUInt16LE(4) !== 3) {
    text += into.toString('latin1', 0, length);
    length = handle.receive(into, 1000);
  }
  return text;
}
