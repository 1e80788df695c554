import { expect, test } from 'vitest';

import { projectNode } from '../../../src/kube/project/node.ts';
import { createIntake } from '../../../src/kube/watch/intake.ts';
import { rawNode } from '../objects.ts';
import { settings } from '../project/settings.ts';
import { recordingSink } from '../recording-sink.ts';

/** A Node as the kubelet reports it, at some time. */
function reported(seconds: number, address = '10.0.0.1'): object {
  const time = new Date(1_700_000_000_000 + seconds * 1000).toISOString();
  return rawNode('node-1', {
    spec: { podCIDRs: ['10.1.0.0/24'] },
    status: {
      addresses: [{ type: 'InternalIP', address }],
      conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: time }],
      images: [{ names: [`image-${seconds}`], sizeBytes: seconds }],
    },
  });
}

test('a Node that reports nothing new is no change', () => {
  const sink = recordingSink();
  const intake = createIntake({ kind: 'Node', project: projectNode, settings, sink });
  intake.beginList();
  intake.put(reported(0));
  intake.completeList();
  intake.flush();
  for (let seconds = 1; seconds <= 10; seconds += 1) {
    intake.put(reported(seconds));
    intake.flush();
  }
  expect(sink.batches).toHaveLength(1);
  intake.put(reported(11, '10.0.0.2'));
  intake.flush();
  expect(sink.batches.at(-1)).toMatchObject([{ change: 'set', fact: { allAddresses: ['10.0.0.2'] } }]);
});
