/** What happens to a packet on the node that this process runs on. Reads only. */

import { compileAll } from '../core/compile-all.ts';
import type { Packet, TraceNode } from '../core/trace/packet.ts';
import type { Trace } from '../core/trace/result.ts';
import { kernelState, wantedState } from '../core/trace/state.ts';
import { trace } from '../core/trace/trace.ts';
import type { Config } from './config/config.ts';
import { filterSkeleton } from './kernel.ts';
import { readActual, type Snapshot, withSnapshot } from './snapshot.ts';

/** The way of a packet by what should be programmed and by what is. */
export interface TraceReport {
  readonly node: string;
  readonly wanted: Trace;
  readonly inKernel: Trace;
}

/** Throws an Error when the Services or the kernel cannot be read. */
export function traceOnNode(config: Config, packet: Packet): Promise<TraceReport> {
  return withSnapshot(config, (snapshot) => {
    const { facts, context, ports, nodeName } = snapshot;
    const actual = readActual({ ports, facts });
    const desired = compileAll({ facts, context, fwmarkMask: config.fwmarkMask }, actual);
    const node = traceNode(config, snapshot);
    return {
      node: nodeName,
      wanted: trace(packet, wantedState(desired), node),
      inKernel: trace(packet, kernelState(actual), node),
    };
  });
}

function traceNode(config: Config, { context, ports }: Snapshot): TraceNode {
  return {
    addresses: context.nodeAddresses,
    podInterface: filterSkeleton(config).podInterface,
    masqueradeMark: config.masqueradeMark,
    sourceTowards: (address) => ports.link.sourceTowards(address),
    interfaceTowards: (address) => ports.link.interfaceTowards(address),
  };
}
