import { execaSync } from 'execa';
import { describe } from 'vitest';
import { openIpset } from '../../../src/kernel/ipset/open-ipset.ts';
import { testIpsetContract } from './contract.ts';

let count = 0;

describe("the kernel's ipsets", () => {
  testIpsetContract(() => {
    count += 1;
    const name = `ipset-contract-${process.pid}-${count}`;
    const networkNamespace = `/run/netns/${name}`;
    execaSync('ip', ['netns', 'add', name]);
    const inside = (...words: readonly string[]): void => {
      execaSync('nsenter', [`--net=${networkNamespace}`, ...words]);
    };
    const ipset = openIpset({ networkNamespace });
    return {
      ipset,
      create: (set, family) =>
        inside('ipset', 'create', set, 'hash:ip', 'family', family === 'IPv4' ? 'inet' : 'inet6'),
      hold: (set) => {
        const rule = ['INPUT', '-m', 'set', '--match-set', set, 'src', '-j', 'RETURN'];
        inside('iptables', '-A', ...rule);
        return () => inside('iptables', '-D', ...rule);
      },
      close: () => {
        ipset.close();
        execaSync('ip', ['netns', 'delete', name]);
      },
    };
  });
});
