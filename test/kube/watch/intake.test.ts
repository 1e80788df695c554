import { describe, expect, test } from 'vitest';
import type { FactChange } from '../../../src/core/model/facts.ts';

import { projectNode } from '../../../src/kube/project/node.ts';
import { projectService } from '../../../src/kube/project/service.ts';
import { createIntake } from '../../../src/kube/watch/intake.ts';
import { rawNode, rawService } from '../objects.ts';
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
  intake.put(reported(0), '1');
  intake.completeList();
  intake.flush();
  const told = sink.batches.length;
  for (let seconds = 1; seconds <= 10; seconds += 1) {
    intake.put(reported(seconds), `${seconds}`);
    intake.flush();
  }
  expect(sink.batches).toHaveLength(told);
  intake.put(reported(11, '10.0.0.2'), '12');
  intake.flush();
  expect(sink.batches.at(-1)).toMatchObject([{ change: 'set', fact: { allAddresses: ['10.0.0.2'] } }]);
});

describe('a list', () => {
  const service = (name: string, port = 80): object => rawService(name, { ports: [{ port, protocol: 'TCP' }] });

  function serviceIntake() {
    const sink = recordingSink();
    const intake = createIntake({ kind: 'Service', project: projectService, settings, sink });
    const list = (...objects: readonly (readonly [object, string])[]): void => {
      intake.beginList();
      objects.forEach(([object, version]) => intake.put(object, version));
      intake.completeList();
      intake.flush();
    };
    return { sink, intake, list };
  }

  test('is told of as it comes when it is the first, and once more when it is complete', () => {
    const { sink, intake } = serviceIntake();
    intake.beginList();
    intake.put(service('one'), '1');
    intake.flush();
    expect(sink.batches).toMatchObject([[{ change: 'set', fact: { key: 'default/one' } }]]);
    intake.put(service('two'), '2');
    intake.completeList();
    intake.flush();
    expect(sink.batches[1]).toMatchObject([{ change: 'set' }, { change: 'complete', count: 2 }]);
    expect(sink.story('Service').at(-1)).toBe('complete default/one default/two');
  });

  test('brings what has not changed as the object that it was, and looks at nothing of it', () => {
    const { sink, list } = serviceIntake();
    list([service('one'), '1'], [service('two'), '2']);
    list([service('one', 81), '1'], [service('two', 82), '3']);
    list([service('one', 83), '1'], [service('two', 84), '3']);
    const [second, third] = sink.batches.slice(1).map((batch) => batch.at(-1));
    const facts = (change: FactChange | undefined) => (change?.change === 'replace' ? change.facts : []);
    expect(facts(second)).toMatchObject([{ fact: { ports: [{ port: 80 }] } }, { fact: { ports: [{ port: 82 }] } }]);
    expect(facts(third)[0]).toBe(facts(second)[0]);
    expect(facts(third)[1]).toBe(facts(second)[1]);
    expect(sink.batches.at(-1)).toHaveLength(1);
  });

  test('tells again what is refused of an object that has not changed', () => {
    const { sink, list } = serviceIntake();
    const odd = rawService('odd', { ports: 'none' });
    list([odd, '1']);
    const problems = sink.problems.length;
    list([odd, '1']);
    expect(sink.problems.slice(problems)).not.toContainEqual(expect.objectContaining({ refusals: [] }));
  });
});
