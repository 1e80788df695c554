/**
 * Rows of the contract that do not hold, each with the reason. The suite fails when such a row holds, as when another one
 * does not.
 */

import type { EndpointPod, Outcome } from './contract.ts';
import { type Row, sources } from './rows.ts';

interface KnownMismatch {
  readonly reason: string;
  readonly covers: (row: Row) => boolean;
}

export const knownMismatches: readonly KnownMismatch[] = [
  {
    reason:
      'A pod asks another node’s address for a node port whose external policy is Local, and an endpoint on the pod’s own node is chosen. The contract forbids masquerade, so that endpoint sees the pod and answers it directly, past the node that was asked and that alone could translate the answer back.',
    covers: ({ source, frontend, service, expected }) => {
      const { sender, node } = sources[source];
      const isAskedElsewhere = sender === 'pod' && frontend.kind === 'node port' && frontend.node !== node;
      return isAskedElsewhere && service.externalPolicy === 'Local' && seesClient(expected, endpointOn[node]);
    },
  },
];

const endpointOn = { node1: 'near', node2: 'far' } as const;

function seesClient(expected: Outcome, pod: EndpointPod): boolean {
  return typeof expected !== 'string' && expected[pod] === 'sees the client';
}

export function isKnown(row: Row): boolean {
  return knownMismatches.some(({ covers }) => covers(row));
}
