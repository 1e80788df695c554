/** The source of facts that the configuration asks for. */

import { hostname } from 'node:os';
import { applyChanges, emptyFacts, type Facts } from '../core/facts.ts';
import { objectKinds } from '../core/model/facts.ts';
import { systemClock } from '../kube/clock.ts';
import { manifestSource } from '../kube/manifests/manifest-source.ts';
import type { FactSource, ObjectProblem } from '../kube/source.ts';
import { type ConfigReader, openConfigReader } from '../kube/watch/credentials.ts';
import { kubeSource } from '../kube/watch/kube-source.ts';
import type { Config } from './config/config.ts';
import { sourceRemedy } from './observe/source-remedy.ts';

export function openSource(config: Config, configReader = openAccess(config)): FactSource {
  return config.manifests === undefined
    ? kubeSource({ configReader, clock: systemClock, random: Math.random })
    : manifestSource({ directory: config.manifests });
}

/** To the API server. Nothing is read before it is asked. */
export function openAccess({ kubeconfig, master }: Config): ConfigReader {
  return openConfigReader({ kubeConfig: kubeconfig, master });
}

/** The name of our Node object: the kubelet registers the host name in lower case unless told otherwise. */
export function nodeNameOf(config: Config): string {
  return config.hostnameOverride ?? hostname().toLowerCase();
}

export interface CompleteFacts {
  readonly facts: Facts;
  readonly problems: readonly ObjectProblem[];
}

/** Reads a source until every list is complete, then stops it. Throws when it says nothing for `patienceMs`. */
export async function readOnce(source: FactSource, nodeName: string, patienceMs = 30_000): Promise<CompleteFacts> {
  const facts = emptyFacts(nodeName);
  const problems: ObjectProblem[] = [];
  let isComplete = (): void => {};
  const complete = new Promise<void>((resolve) => {
    isComplete = resolve;
  });
  source.start({
    changes: (batch) => {
      applyChanges(facts, batch);
      if (objectKinds.every((kind) => facts.complete.has(kind))) {
        isComplete();
      }
    },
    problem: (problem) => void problems.push(problem),
  });
  const timer = setTimeout(() => isComplete(), patienceMs);
  await complete;
  clearTimeout(timer);
  const states = source.states();
  await source.stop();
  if (!facts.complete.has('Service') || !facts.complete.has('EndpointSlice')) {
    const said = states.map((state) => `${state.kind}: ${state.lastError?.message ?? state.phase}`).join('; ');
    const remedies = states.map(({ lastError }) =>
      lastError === undefined ? undefined : sourceRemedy(lastError.code),
    );
    const remedy = remedies.find((each) => each !== undefined) ?? 'Try again when it answers';
    throw new Error(
      `expected the complete lists of Services and EndpointSlices within ${patienceMs / 1000} s, found ${said}. ${remedy}`,
    );
  }
  return { facts, problems };
}
