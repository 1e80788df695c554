import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import type { EventPort, EventReport } from '../../../src/kube/events/event-port.ts';
import { createEventRecorder, type EventRequest } from '../../../src/kube/events/event-recorder.ts';
import { createFakeClock, type FakeClock } from '../fake-clock.ts';

const start = Date.UTC(2026, 0, 1);

const refused: EventReport = {
  type: 'Warning',
  reason: 'PortInvalid',
  action: 'Program',
  note: 'ports[0]: expected a port, found 0',
  regarding: { kind: 'Service', namespace: 'prod', name: 'web' },
  scope: 'cluster',
};
const own: EventReport = { ...refused, scope: 'node' };

let clock: FakeClock;
let sent: EventRequest[];
/** What the API server answers, in turn; then 201. An Error: no answer. */
let answers: (number | Error)[];
let failures: string[];
let random: number;

beforeEach(() => {
  clock = createFakeClock();
  sent = [];
  answers = [];
  failures = [];
  random = 0;
});

function recorder(nodeName = 'node-a'): EventPort {
  return createEventRecorder({
    nodeName,
    transport: {
      send: async (request) => {
        sent.push(request);
        const answer = answers.shift() ?? 201;
        if (answer instanceof Error) {
          throw answer;
        }
        return answer;
      },
      close: () => {},
    },
    clock,
    timeOfDay: () => start + clock.now(),
    random: () => random,
    uidOf: (object) => `uid-of-${object.name}`,
    onFailure: ({ reason }, message) => failures.push(`${reason} ${message}`),
  });
}

async function pass(ms: number): Promise<void> {
  for (let left = ms; left >= 0; left -= 100) {
    clock.advance(Math.min(100, left));
    // One request follows the answer to the other.
    for (let before = -1; before < sent.length; clock.advance(0)) {
      before = sent.length;
      await turn();
    }
  }
}

function methods(): readonly string[] {
  return sent.map(({ method }) => method);
}

function nameOf(request: EventRequest | undefined): unknown {
  const { metadata } = { metadata: {}, ...request?.body };
  return 'name' in metadata ? metadata.name : undefined;
}

describe('an Event', () => {
  it('has every field that the API demands', async () => {
    recorder().report(own);
    await pass(0);
    expect(sent).toEqual([
      {
        method: 'POST',
        path: '/apis/events.k8s.io/v1/namespaces/prod/events',
        body: {
          apiVersion: 'events.k8s.io/v1',
          kind: 'Event',
          metadata: { name: expect.stringMatching(/^web\.[0-9a-f]{16}$/), namespace: 'prod' },
          eventTime: '2026-01-01T00:00:00.000000Z',
          reportingController: 'sluice',
          reportingInstance: 'sluice-node-a',
          type: 'Warning',
          reason: 'PortInvalid',
          action: 'Program',
          note: 'ports[0]: expected a port, found 0',
          regarding: { apiVersion: 'v1', kind: 'Service', namespace: 'prod', name: 'web', uid: 'uid-of-web' },
        },
      },
    ]);
  });

  it('about a Node stands in the namespace default', async () => {
    recorder().report({ ...own, regarding: { kind: 'Node', name: 'node-a' } });
    await pass(0);
    expect(sent[0]).toMatchObject({
      path: '/apis/events.k8s.io/v1/namespaces/default/events',
      body: { metadata: { namespace: 'default' }, regarding: { kind: 'Node', name: 'node-a' } },
    });
  });

  it('fits where the API has limits: 1024 bytes of note, 128 characters of instance, 253 of name', async () => {
    const regarding = { kind: 'Service', namespace: 'prod', name: 'n'.repeat(253) } as const;
    recorder('a'.repeat(253)).report({ ...own, regarding, note: 'ä'.repeat(1_000) });
    await pass(0);
    const body: unknown = sent[0]?.body;
    expect(body).toMatchObject({ reportingInstance: expect.stringMatching(/^.{128}$/) });
    expect(String(nameOf(sent[0])).length).toBeLessThanOrEqual(253);
    const { note } = { note: '', ...sent[0]?.body };
    expect([Buffer.byteLength(note), note.endsWith('ä…')]).toEqual([1_023, true]);
  });
});

describe('the same again', () => {
  it('is counted in a series, told of at most once a minute', async () => {
    const events = recorder();
    events.report(own);
    await pass(1_000);
    events.report(own);
    events.report(own);
    await pass(50_000);
    expect(methods()).toEqual(['POST']);
    await pass(10_000);
    expect(sent[1]).toEqual({
      method: 'PATCH',
      path: `/apis/events.k8s.io/v1/namespaces/prod/events/${String(nameOf(sent[0]))}`,
      body: { series: { count: 3, lastObservedTime: '2026-01-01T00:00:01.000000Z' } },
    });
    await pass(600_000);
    expect(methods()).toEqual(['POST', 'PATCH']);
  });

  it('after some minutes is a new Event', async () => {
    const events = recorder();
    events.report(own);
    await pass(6 * 60_000 + 1_000);
    events.report(own);
    await pass(0);
    expect(methods()).toEqual(['POST', 'POST']);
    expect(nameOf(sent[1])).not.toBe(nameOf(sent[0]));
  });

  it('goes on in a new Event when the first has expired', async () => {
    const events = recorder();
    events.report(own);
    await pass(1_000);
    answers = [404];
    events.report(own);
    await pass(70_000);
    expect(methods()).toEqual(['POST', 'PATCH', 'POST']);
  });

  it('is something else when the note differs', async () => {
    const events = recorder();
    events.report(own);
    events.report({ ...own, note: 'another' });
    await pass(0);
    expect(methods()).toEqual(['POST', 'POST']);
  });
});

describe('what every node would say', () => {
  it('has one name on all of them, and who comes second is content', async () => {
    recorder('node-a').report(refused);
    answers = [201, 409];
    await pass(0);
    const second = recorder('node-b');
    second.report(refused);
    await pass(0);
    expect(nameOf(sent[1])).toBe(nameOf(sent[0]));
    expect([second.counts(), failures]).toEqual([{ posted: 1, failed: 0, dropped: 0 }, []]);
  });

  it('is not said at the same moment', async () => {
    random = 0.5;
    recorder().report(refused);
    await pass(4_900);
    expect(sent).toEqual([]);
    await pass(200);
    expect(methods()).toEqual(['POST']);
  });

  it('is another matter for a node that speaks for itself', async () => {
    recorder('node-a').report(own);
    recorder('node-b').report(own);
    await pass(0);
    expect(nameOf(sent[1])).not.toBe(nameOf(sent[0]));
  });
});

describe('the rate', () => {
  it('is a burst of 25, and then one per second', async () => {
    const events = recorder();
    for (let index = 0; index < 40; index += 1) {
      events.report({ ...own, note: `${index}` });
    }
    await pass(900);
    expect(sent).toHaveLength(25);
    await pass(5_000);
    expect(sent.length).toBeGreaterThanOrEqual(29);
    expect(sent.length).toBeLessThanOrEqual(31);
  });

  it('is bounded in memory: what is too much is counted and dropped', () => {
    const events = recorder();
    for (let index = 0; index < 1_200; index += 1) {
      events.report({ ...own, note: `${index}` });
    }
    expect(events.counts().dropped).toBe(200);
  });
});

describe('an API server that is', () => {
  it.each([
    ['away', new Error('ECONNREFUSED')],
    ['busy', 429],
    ['broken', 500],
    ['about to take another token', 401],
  ])('%s is asked again, later each time', async (_, answer) => {
    answers = [answer, answer];
    const events = recorder();
    events.report(own);
    await pass(500);
    expect(sent).toHaveLength(1);
    await pass(3_000);
    expect([sent.length, events.counts().posted, failures]).toEqual([3, 1, []]);
  });

  it('away for long is not asked for ever', async () => {
    answers = Array.from({ length: 20 }, () => new Error('ECONNREFUSED'));
    const events = recorder();
    events.report(own);
    await pass(900_000);
    expect([sent.length, events.counts().failed, failures]).toEqual([12, 1, ['PortInvalid ECONNREFUSED']]);
  });

  it.each([403, 404, 422])('refusing with %i is not asked again, and somebody is told', async (status) => {
    answers = [status];
    const events = recorder();
    events.report(own);
    await pass(60_000);
    expect([sent.length, events.counts().failed, failures]).toEqual([
      1,
      1,
      [`PortInvalid the API server answered ${status}`],
    ]);
  });
});

describe('the end', () => {
  it('posts what waits, and takes nothing more', async () => {
    random = 1;
    const events = recorder();
    events.report(refused);
    const closed = events.close(1_000);
    await pass(100);
    await closed;
    events.report(own);
    await pass(1_000);
    expect(methods()).toEqual(['POST']);
  });

  it('does not wait for an API server that is away', async () => {
    answers = Array.from({ length: 20 }, () => new Error('ECONNREFUSED'));
    const events = recorder();
    events.report(own);
    let isOver = false;
    void events.close(1_000).finally(() => {
      isOver = true;
    });
    await pass(900);
    expect(isOver).toBe(false);
    await pass(200);
    expect(isOver).toBe(true);
  });
});
