import { execaSync } from 'execa';
import { describe, expect, it } from 'vitest';
import { openReversePath } from '../../../src/kernel/reverse-path/open-reverse-path.ts';
import { testReversePathContract } from './contract.ts';

let count = 0;

function makeNode(): { readonly name: string; readonly ip: (words: string) => void } {
  count += 1;
  const name = `reverse-path-${process.pid}-${count}`;
  const ip = (words: string): void => {
    execaSync('ip', ['-n', name, ...words.split(' ')]);
  };
  execaSync('ip', ['netns', 'add', name]);
  ip('link set lo up');
  for (const device of ['eth0', 'vp1', 'vp2']) {
    ip(`link add ${device} type dummy`);
    ip(`link set ${device} up`);
  }
  ip('address add 192.0.2.10/24 dev eth0');
  ip('route add default via 192.0.2.1');
  ip('route add 10.1.0.2/32 dev vp1');
  ip('route add 10.1.0.3/32 dev vp2');
  for (const device of ['all', 'vp1', 'vp2']) sysctl(name, '-w', `net.ipv4.conf.${device}.rp_filter=0`);
  return { name, ip };
}

function sysctl(name: string, ...words: readonly string[]): string {
  return execaSync('ip', ['netns', 'exec', name, 'sysctl', '-q', ...words], { reject: false }).stdout;
}

describe("the kernel's reverse-path checks", () => {
  testReversePathContract(() => {
    const { name, ip } = makeNode();
    return {
      port: openReversePath(`/run/netns/${name}`),
      setAll: (value) => sysctl(name, '-w', `net.ipv4.conf.all.rp_filter=${value}`),
      valueOf: (device) => Number(sysctl(name, '-n', `net.ipv4.conf.${device}.rp_filter`)),
      remove: (device) => ip(`link delete ${device}`),
      close: () => execaSync('ip', ['netns', 'delete', name]),
    };
  });

  it('are left alone where an address is the node’s own', () => {
    const { name } = makeNode();
    expect(openReversePath(`/run/netns/${name}`).towards('192.0.2.10')).toBeUndefined();
    execaSync('ip', ['netns', 'delete', name]);
  });
});
