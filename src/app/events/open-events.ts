import type { Facts } from '../../core/facts.ts';
import { systemClock } from '../../kube/clock.ts';
import { type EventObject, type EventPort, noEvents } from '../../kube/events/event-port.ts';
import { createEventRecorder } from '../../kube/events/event-recorder.ts';
import { httpEvents } from '../../kube/events/http-events.ts';
import type { ConfigReader } from '../../kube/watch/credentials.ts';
import type { Config } from '../config/config.ts';
import type { Log } from '../log.ts';
import { nodeNameOf } from '../source.ts';

/** Where Events go: to the API server, or nowhere when the facts come from a folder. */
export function openEvents(
  config: Config,
  configReader: ConfigReader,
  log: Log,
  facts: () => Facts | undefined,
): EventPort {
  if (config.manifests !== undefined) {
    return noEvents;
  }
  return createEventRecorder({
    nodeName: nodeNameOf(config),
    transport: httpEvents(configReader),
    clock: systemClock,
    timeOfDay: Date.now,
    random: Math.random,
    uidOf: (object) => uidOf(object, facts()),
    onFailure: ({ reason, regarding }, message) => log.warn({ reason, regarding, message }, 'an Event was not posted'),
  });
}

/** A Node's name serves as its uid, as the kubelet has it and `kubectl describe node` looks for it. */
function uidOf(object: EventObject, facts: Facts | undefined): string {
  switch (object.kind) {
    case 'Node':
      return object.name;
    case 'Service':
      return facts?.services.get(`${object.namespace}/${object.name}`)?.uid ?? '';
  }
}
