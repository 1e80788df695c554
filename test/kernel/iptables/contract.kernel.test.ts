import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { execaSync } from 'execa';
import { describe } from 'vitest';
import { openIpset } from '../../../src/kernel/ipset/open-ipset.ts';
import { openIptables } from '../../../src/kernel/iptables/open-iptables.ts';
import { testIptablesContract } from './contract.ts';

describe("the kernel's iptables", () => {
  testIptablesContract(async () => {
    // What iptables-legacy has in a namespace is told by /proc of a process in it. It lives until its input ends.
    const child = spawn('unshare', ['--net', 'sh', '-c', 'echo; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    const { pid } = child;
    if (pid === undefined) throw new Error('expected a process in a network namespace, found none');
    const networkNamespace = `/proc/${pid}/ns/net`;
    const ipset = openIpset({ networkNamespace });
    return {
      iptables: openIptables({ pid }),
      ipset,
      createSet: (name, family) => {
        const words = ['ipset', 'create', name, 'hash:ip', 'family', family === 'IPv4' ? 'inet' : 'inet6'];
        execaSync('nsenter', [`--net=${networkNamespace}`, ...words]);
      },
      close: () => {
        ipset.close();
        child.stdin.end();
      },
    };
  });
});
