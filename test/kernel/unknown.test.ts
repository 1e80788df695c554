/** What a port says when answers are lost: the same for each of them, in memory and over a socket. */

import { describe, expect, it } from 'vitest';
import { emptyPlan } from '../../src/core/plan.ts';
import { executePlan } from '../../src/kernel/executor.ts';
import { fakeFilter } from '../../src/kernel/fake/filter.ts';
import { fakeIpvs } from '../../src/kernel/fake/ipvs.ts';
import { fakeLink } from '../../src/kernel/fake/link.ts';
import { applyIpvsOperations } from '../../src/kernel/ipvs/apply.ts';
import { createEncoder } from '../../src/kernel/ipvs/encode.ts';
import { applyVips } from '../../src/kernel/link/apply-vips.ts';
import { createBatch } from '../../src/kernel/netlink/batch.ts';
import { createNetlinkSocket } from '../../src/kernel/netlink/socket.ts';
import { applyElements } from '../../src/kernel/nft/apply-elements.ts';
import type { ApplyResult } from '../../src/kernel/ports.ts';
import { fakePorts, skeleton } from '../support/node-ports.ts';
import { destination, virtualServer } from '../support/servers.ts';
import { scriptedHandle } from './netlink/scripted-handle.ts';

const server = virtualServer();
const { identity } = server;
const servers = [
  { kind: 'add-virtual-server', server },
  { kind: 'add-destination', identity, destination: destination('10.1.0.1') },
] as const;
const vips = ['10.96.0.1', '10.96.0.2'].map(
  (address) => ({ kind: 'add-vip', vip: { address, source: '192.168.0.1' } }) as const,
);
const elements = ['10.96.0.1', '10.96.0.2'].map(
  (address) => ({ kind: 'add-element', element: { set: 'vips', address } }) as const,
);

const lossy: Readonly<Record<string, () => ApplyResult | Promise<ApplyResult>>> = {
  'IPVS in memory': () => {
    const table = fakeIpvs();
    table.loseNextReplies();
    return table.apply(servers);
  },
  'the VIP interface in memory': () => {
    const link = fakeLink({ addresses: ['192.168.0.1'] });
    link.ensureInterface();
    link.loseNextReplies();
    return link.apply(vips);
  },
  'the table in memory': async () => {
    const filter = fakeFilter();
    await filter.ensureTable(skeleton);
    filter.loseNextReplies();
    return filter.apply(elements);
  },
  IPVS: () => applyIpvsOperations({ ...lossySocket(), encoder: createEncoder(0x17) }, servers),
  'the VIP interface': () =>
    applyVips({ ...lossySocket(), interfaceIndex: 7, mode: 'route', steeringMark: 0xff }, vips),
  'the table': () => applyElements(lossySocket(), elements),
};

function lossySocket() {
  const handle = scriptedHandle(() => [{ errno: 105, code: 'ENOBUFS' }]);
  return { socket: createNetlinkSocket(handle), batch: createBatch() };
}

describe('lost answers', () => {
  it.each(Object.entries(lossy))('of %s make failures of all operations that they were about', async (_, apply) => {
    const { failures, unknown } = await apply();
    expect(unknown).toBe(true);
    expect(failures.map(({ index, error }) => [index, error.code])).toEqual([
      [0, 'ENOBUFS'],
      [1, 'ENOBUFS'],
    ]);
  });

  it('leave nothing for done: the operations are failures, and the kernel is to be read again', async () => {
    const ports = await fakePorts();
    ports.ipvs.loseNextReplies();
    const { performed, failed, isUncertain } = executePlan({ ...emptyPlan, make: servers }, ports);
    expect(performed).toEqual([]);
    expect(failed.map(({ error }) => error.code)).toContain('ENOBUFS');
    expect(isUncertain).toBe(true);
  });
});
