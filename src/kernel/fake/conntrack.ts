/**
 * Connection tracking in memory: a flow is known by its original ends. A flow in the place of another with the same ends
 * has its number, as happens in the kernel when it comes to lie where the other one lay.
 */

import { familyOf, formatEndpoint } from '../../core/address.ts';
import type { UdpFlow } from '../../core/model/flow.ts';
import { errno, KernelError } from '../error.ts';
import type { ConntrackPort, OperationFailure } from '../ports.ts';
import { createFaults, type Faults } from './faults.ts';

/** The fake, with what only tests do to it. */
export interface FakeConntrack extends ConntrackPort {
  readonly failNext: Faults<UdpFlow>['failNext'];
  /** A client's datagram makes a flow, or replaces the one with the same original ends. */
  track(flow: Omit<UdpFlow, 'id'>): UdpFlow;
  /** How often flows of a family were listed. */
  readonly lists: number;
}

/** Flows in one piece of a list. */
const pieceFlows = 100;

export function fakeConntrack(): FakeConntrack {
  const flows = new Map<string, UdpFlow>();
  const faults = createFaults<UdpFlow>();
  const ids = new Map<string, number>();
  let lists = 0;
  return {
    flows: (family) => {
      lists += 1;
      return pieces([...flows.values()].filter((flow) => familyOf(flow.source.address) === family));
    },
    remove: (wanted) => {
      const failures: OperationFailure[] = [];
      for (const [index, flow] of wanted.entries()) {
        const refusal = faults.refusal(flow, () => {
          const isThere = flows.get(keyOf(flow))?.id === flow.id;
          return isThere && flows.delete(keyOf(flow)) ? 0 : errno.ENOENT;
        });
        if (refusal !== 0) failures.push({ index, error: new KernelError('delete flow', refusal) });
      }
      return { failures, unknown: false };
    },
    close: () => undefined,
    failNext: faults.failNext,
    track: (ends) => {
      const key = keyOf(ends);
      const id = ids.get(key) ?? ids.size + 1;
      const flow = { id, ...ends };
      ids.set(key, id);
      flows.set(key, flow);
      return flow;
    },
    get lists() {
      return lists;
    },
  };
}

function* pieces(flows: readonly UdpFlow[]): Generator<readonly UdpFlow[], void, undefined> {
  for (let start = 0; start < flows.length; start += pieceFlows) yield flows.slice(start, start + pieceFlows);
}

function keyOf({ source, destination }: Omit<UdpFlow, 'id'>): string {
  return `${formatEndpoint(source.address, source.port)} ${formatEndpoint(destination.address, destination.port)}`;
}
