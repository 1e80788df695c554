/** Which Events the agent reports. Names, actions and texts that kube-proxy has too are kube-proxy's. */

import { eventReason, isOfThisNode, refusalNote } from '../../core/refusal-note.ts';
import type { EventObject, EventPort } from '../../kube/events/event-port.ts';
import type { NewRefusal } from '../observe/refusal-log.ts';

/** The agent begins its work on this node. */
export function reportStarting(events: EventPort, nodeName: string): void {
  const regarding: EventObject = { kind: 'Node', name: nodeName };
  events.report({ type: 'Normal', reason: 'Starting', action: startAction, note: '', regarding, scope: 'node' });
}

/** A server of the agent cannot listen, and it ends for that (--bind-address-hard-fail). */
export function reportServerFailure(
  events: EventPort,
  nodeName: string,
  { server, message }: { readonly server: 'health' | 'metrics'; readonly message: string },
): void {
  events.report({
    type: 'Warning',
    reason: server === 'health' ? 'FailedToStartProxierHealthcheck' : 'FailedToStartMetricServer',
    action: startAction,
    note: message,
    regarding: { kind: 'Node', name: nodeName },
    scope: 'node',
  });
}

/** A part of a Service is refused. Of other objects the log and the metrics tell. */
export function reportRefusal(events: EventPort, nodeName: string, refused: NewRefusal): void {
  const { object, refusal, more } = refused;
  const [namespace, name] = object.key.split('/');
  if (object.kind !== 'Service' || namespace === undefined || name === undefined) {
    return;
  }
  const regarding: EventObject = { kind: 'Service', namespace, name };
  if (refusal.reason === 'health-check-port-unavailable') {
    events.report({ ...healthCheckFailure(nodeName, refused), type: 'Warning', regarding, scope: 'node' });
    return;
  }
  const isOwn = isOfThisNode(refusal.reason);
  const note = `${refusalNote(refusal)}${more === 0 ? '' : ` (and ${more} more of this kind)`}`;
  events.report({
    type: 'Warning',
    reason: eventReason(refusal.reason),
    action: 'Program',
    note: isOwn ? `node ${nodeName}: ${note}` : note,
    regarding,
    scope: isOwn ? 'node' : 'cluster',
  });
}

const startAction = 'StartKubeProxy';

/** As kube-proxy writes it (pkg/proxy/healthcheck/service_health.go). */
function healthCheckFailure(
  nodeName: string,
  { object, refusal }: NewRefusal,
): { readonly reason: string; readonly action: string; readonly note: string } {
  const port = /\d+/.exec(refusal.subject)?.[0] ?? '';
  const note = `node ${nodeName} failed to start healthcheck "${object.key}" on port ${port}: ${refusal.found}`;
  return { reason: 'FailedToStartServiceHealthcheck', action: 'Listen', note };
}
