import { expect, it, vi } from 'vitest';
import { failure } from '../../../src/app/direct-return/failure.ts';
import { makeMetrics } from '../../../src/app/metrics/metrics.ts';
import { countPodTunnels } from '../../../src/app/observe/pod-tunnel-count.ts';
import { makePlace, wanted, web } from '../direct-return/place.ts';

it('pods that are to answer directly are counted by how far they are', async () => {
  const place = makePlace();
  place.addPod('default/web', '10.1.0.2');
  place.addPod('default/other', '10.1.0.3');
  const metrics = makeMetrics({
    version: 'test',
    readProcess: () => ({ residentBytes: 0, cpuSeconds: 0, startTimeSeconds: 0 }),
  });
  const pods = place.start();
  countPodTunnels(metrics, pods.states);
  const counts = (): readonly string[] =>
    [...metrics.render().matchAll(/^sluice_pod_tunnels\{state="(.+)"\} (.+)$/gm)].map(
      ([, state, count]) => `${count} ${state}`,
    );
  expect(counts()).toEqual(['0 preparing', '0 prepared', '0 failed']);
  let open = (): void => {};
  place.gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  pods.want(wanted(web()));
  await vi.waitFor(() => expect(counts()).toEqual(['1 preparing', '0 prepared', '0 failed']));
  open();
  await vi.waitFor(() => expect(counts()).toEqual(['0 preparing', '1 prepared', '0 failed']));
  place.runtime = failure('container-runtime-unavailable', 'none', 'one');
  pods.want(wanted(web(), web({ address: '10.1.0.3', pod: 'default/other' })));
  await vi.waitFor(() => expect(counts()).toEqual(['0 preparing', '1 prepared', '1 failed']));
  pods.want(wanted());
  await vi.waitFor(() => expect(counts()).toEqual(['0 preparing', '0 prepared', '0 failed']));
  pods.stop();
});
