import { execaSync } from 'execa';
import { describe } from 'vitest';
import { openOtherInterface } from '../../../src/kernel/link/open-other-interface.ts';
import { openOtherTables } from '../../../src/kernel/nft/other-tables.ts';
import { testOtherProxyContract } from './contract.ts';

let count = 0;

describe('what another proxy leaves in the kernel', () => {
  testOtherProxyContract(() => {
    count += 1;
    const name = `other-proxy-${process.pid}-${count}`;
    const networkNamespace = `/run/netns/${name}`;
    execaSync('ip', ['netns', 'add', name]);
    const inside = (words: string): void => {
      execaSync('nsenter', [`--net=${networkNamespace}`, ...words.split(' ')]);
    };
    inside('ip link set lo up');
    const interfaces = openOtherInterface({ networkNamespace });
    return {
      tables: openOtherTables({ networkNamespace }),
      interfaces,
      addTable: (table) => inside(`nft add table ${table}`),
      addLink: (link, kind, addresses) => {
        inside(`ip link add ${link} type ${kind}`);
        for (const address of addresses) inside(`ip address add ${address} dev ${link}`);
      },
      addRouting: () => {
        inside('ip rule add priority 32765 lookup 79');
        inside('ip rule add priority 32764 fwmark 7454 lookup 78');
        inside('ip route add local default dev lo table 78');
      },
      close: () => {
        interfaces.close();
        execaSync('ip', ['netns', 'delete', name]);
      },
    };
  });
});
