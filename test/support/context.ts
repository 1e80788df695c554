import type { CompileContext } from '../../src/core/model/context.ts';
import { schedulers } from '../../src/core/model/virtual-server.ts';

/** The addresses of our node. */
export const nodeAddresses = ['192.168.0.1', 'fd00:100::1'] as const;

/** Node `node-a` in `zone-a`, dual stack, with a detector of pods and every scheduler. */
export function context(fields: Partial<CompileContext> = {}): CompileContext {
  return {
    node: { name: 'node-a', zone: 'zone-a' },
    sources: { IPv4: nodeAddresses[0], IPv6: nodeAddresses[1] },
    nodeAddresses: new Set(['127.0.0.1', '::1', ...nodeAddresses]),
    nodePortAddresses: nodeAddresses,
    healthCheckAddresses: ['0.0.0.0', '::'],
    reservedPorts: new Map([[10_256, 'the health server']]),
    masqueradeAll: false,
    detectsLocal: true,
    schedulers: { defaultScheduler: 'rr', available: new Set(schedulers) },
    ...fields,
  };
}
