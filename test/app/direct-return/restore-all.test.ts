import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PodRecord } from '../../../src/app/direct-return/pod-record.ts';
import { openPodRecords } from '../../../src/app/direct-return/pod-records.ts';
import { restoreAllPods } from '../../../src/app/direct-return/restore-all.ts';
import { fakePodNetwork } from '../../../src/kernel/fake/pod-network.ts';
import { fakeReversePath } from '../../../src/kernel/fake/reverse-path.ts';
import { web } from './place.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-records-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const prepare = (network: ReturnType<typeof fakePodNetwork>, address: string): PodRecord => {
  const path = `/run/netns/${address}`;
  network.addPod(path, { addresses: [address] });
  const namespace = { path, identity: network.identify(path) ?? '' };
  const tunnel = web({ address, pod: `default/${address}` });
  const before = network.read(namespace, tunnel);
  network.ensure(namespace, tunnel, before);
  return { tunnel, sandbox: 'abc', namespace, before };
};

describe('records of prepared pods', () => {
  it('are none without a folder, and make none', () => {
    const records = openPodRecords(join(folder, 'none'));
    expect(records.load()).toEqual({ records: [], illegible: [] });
    records.remove('10.1.0.2');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('are read as they were written, until they are removed', () => {
    const records = openPodRecords(join(folder, 'a', 'b'));
    const network = fakePodNetwork();
    const [one, two] = [prepare(network, '10.1.0.2'), prepare(network, 'fd01::2')];
    records.save(one);
    records.save(two);
    records.save({ ...one, tunnel: { ...one.tunnel, vips: ['198.51.100.9'] } });
    expect(records.load().records).toEqual([{ ...one, tunnel: { ...one.tunnel, vips: ['198.51.100.9'] } }, two]);
    records.remove('10.1.0.2');
    expect(records.load()).toEqual({ records: [two], illegible: [] });
    expect(readdirSync(join(folder, 'a', 'b'))).toEqual(['fd01::2.json']);
  });

  it('are told apart from what is none', () => {
    const records = openPodRecords(folder);
    for (const [name, text] of [
      ['cut.json', '{"version":1,'],
      ['newer.json', '{"version":2}'],
      ['list.json', '[]'],
      ['other.json', '{"version":1,"tunnel":{"address":"10.1.0.2"}}'],
    ] as const) {
      writeFileSync(join(folder, name), text);
    }
    writeFileSync(join(folder, '10.1.0.2.json.new'), 'a crash came before the name');
    expect(records.load().records).toEqual([]);
    expect(records.load().illegible).toHaveLength(4);
  });
});

describe('the restoration of all pods', () => {
  it('goes on after an error, lists it, and keeps its record for the next time', () => {
    const network = fakePodNetwork();
    const records = openPodRecords(folder);
    writeFileSync(join(folder, 'cut.json'), '{');
    for (const address of ['10.1.0.2', '10.1.0.3', '10.1.0.4']) records.save(prepare(network, address));
    network.removePod('/run/netns/10.1.0.4');
    network.failNext(({ kind }) => kind === 'restore', 'EPERM');
    const { restored, failed } = restoreAllPods({ network, reversePath: fakeReversePath(), records });
    expect(restored).toEqual(['network of pod default/10.1.0.3 (10.1.0.3)']);
    expect(failed).toEqual([
      { what: `record ${join(folder, 'cut.json')}`, error: expect.stringContaining('kube-tunnel-if') },
      { what: 'network of pod default/10.1.0.2 (10.1.0.2)', error: expect.stringContaining('EPERM') },
    ]);
    expect(readdirSync(folder)).toEqual(['10.1.0.2.json', 'cut.json']);
    expect(restoreAllPods({ network, reversePath: fakeReversePath(), records }).restored).toEqual([
      'network of pod default/10.1.0.2 (10.1.0.2)',
    ]);
  });
});
