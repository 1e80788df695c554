import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { describe, expect, it } from 'vitest';
import { families } from '../../../src/core/model/facts.ts';
import { openConntrack } from '../../../src/kernel/conntrack/open-conntrack.ts';
import { inConntrackWords, readUdpFlows } from './conntrack-tool.ts';
import { type ConntrackUnderTest, dns, testConntrackContract } from './contract.ts';

let count = 0;

interface KernelUnderTest extends ConntrackUnderTest {
  readonly networkNamespace: string;
}

describe("the kernel's connection tracking", () => {
  testConntrackContract(make);

  it('is read without TCP, SCTP and zones', () => {
    const subject = make();
    try {
      const udp = inConntrackWords(dns.IPv4);
      load(subject.networkNamespace, [
        udp,
        udp.replace('--sport 5001', '--sport 5002').concat(' --zone 7'),
        udp.replace('-p udp', '-p tcp').concat(' --state ESTABLISHED'),
        udp.replace('-p udp', '-p sctp').concat(' --state ESTABLISHED --orig-vtag 1 --reply-vtag 2'),
      ]);
      expect([...subject.conntrack.flows('IPv4')].flat()).toEqual([{ id: expect.any(Number), ...dns.IPv4 }]);
    } finally {
      subject.close();
    }
  });
});

function make(): KernelUnderTest {
  count += 1;
  const name = `conntrack-contract-${process.pid}-${count}`;
  const networkNamespace = `/run/netns/${name}`;
  execaSync('ip', ['netns', 'add', name]);
  const conntrack = openConntrack({ networkNamespace });
  return {
    networkNamespace,
    conntrack,
    track: (flows) => load(networkNamespace, flows.map(inConntrackWords)),
    check: () => {
      for (const family of families) {
        const ours = [...conntrack.flows(family)].flat();
        expect(ours.sort(byId)).toEqual([...readUdpFlows(networkNamespace, family)].sort(byId));
      }
    },
    close: () => {
      conntrack.close();
      execaSync('ip', ['netns', 'delete', name]);
    },
  };
}

/** All in one process. */
function load(networkNamespace: string, lines: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'conntrack-'));
  try {
    writeFileSync(join(folder, 'flows'), lines.map((line) => `${line}\n`).join(''));
    execaSync('nsenter', [`--net=${networkNamespace}`, 'conntrack', '--load-file', join(folder, 'flows')]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function byId(one: { readonly id: number }, other: { readonly id: number }): number {
  return one.id - other.id;
}
