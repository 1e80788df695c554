import type { FactSource, SourceState } from '../../../src/kube/source.ts';
import { openConfigReader } from '../../../src/kube/watch/credentials.ts';
import { kubeSource } from '../../../src/kube/watch/kube-source.ts';
import { createFakeClock, type FakeClock } from '../fake-clock.ts';
import { type RecordingSink, recordingSink, until } from '../recording-sink.ts';
import { type Answer, type ScriptedServer, startScriptedServer } from './scripted-server.ts';

export interface World {
  readonly server: ScriptedServer;
  readonly source: FactSource;
  readonly sink: RecordingSink;
  readonly clock: FakeClock;
  /** Of Services. */
  readonly state: () => SourceState;
  /** Until the Services' story ends with this. */
  readonly told: (...story: readonly string[]) => Promise<void>;
  /** Until the server got that many requests for Services. */
  readonly asked: (count: number) => Promise<void>;
  readonly end: () => Promise<void>;
}

export interface WorldOptions {
  /** 0 by default: no waiting at all. */
  readonly random?: () => number;
  /** Answers to requests for other kinds than Services, by path. */
  readonly others?: ReadonlyMap<string, Answer>;
  readonly kubeConfig?: (url: string) => string;
}

export async function startWorld(answers: readonly Answer[], options: WorldOptions = {}): Promise<World> {
  const server = await startScriptedServer(answers, options.others);
  const clock = createFakeClock();
  const sink = recordingSink();
  const kubeConfig = options.kubeConfig?.(server.url);
  const master = kubeConfig === undefined ? server.url : undefined;
  const source = kubeSource({
    configReader: openConfigReader({ kubeConfig, master }),
    clock,
    random: options.random ?? (() => 0),
  });
  source.start(sink);
  const state = (): SourceState => {
    const found = source.states().find(({ kind }) => kind === 'Service');
    if (found === undefined) {
      throw new Error('no state of Services');
    }
    return found;
  };
  const report = (): unknown => ({ story: sink.story('Service'), asked: server.requests.length, state: state() });
  return {
    server,
    source,
    sink,
    clock,
    state,
    told: (...story) => until(() => sink.story('Service').slice(-story.length).join() === story.join(), report),
    asked: (count) => until(() => server.requests.length >= count, report),
    end: async () => {
      await source.stop();
      await server.close();
    },
  };
}

/** Lets what is under way on the loopback arrive. */
export async function settle(rounds = 10): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export async function passTime(clock: FakeClock, ms: number, steps: number): Promise<void> {
  for (let step = 0; step < steps; step += 1) {
    clock.advance(ms / steps);
    await settle(3);
  }
}
