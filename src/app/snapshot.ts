/** The cluster and this node as they are now, for the commands that only look. */

import { type Actual, adoptReading } from '../core/actual.ts';
import type { Facts } from '../core/facts.ts';
import type { CompileContext } from '../core/model/context.ts';
import type { KernelPorts } from '../kernel/executor.ts';
import type { ObjectProblem } from '../kube/source.ts';
import type { Config } from './config/config.ts';
import { makeContext } from './context.ts';
import { readPodTunnels } from './direct-return/open-pod-tunnels.ts';
import { closeKernel, contextSettings, openKernel, readNode, schedulerSupport } from './kernel.ts';
import { recordSets, recoverOwnership } from './ownership.ts';
import { nodeNameOf, openSource, readOnce } from './source.ts';

export interface Snapshot {
  readonly nodeName: string;
  readonly facts: Facts;
  /** What was refused while the objects were read. */
  readonly problems: readonly ObjectProblem[];
  readonly context: CompileContext;
  /** Open while the snapshot is used. */
  readonly ports: KernelPorts;
}

/** Throws an Error when the Services or the kernel cannot be read. */
export async function withSnapshot<Result>(config: Config, use: (snapshot: Snapshot) => Result): Promise<Result> {
  const nodeName = nodeNameOf(config);
  const { facts, problems } = await readOnce(openSource(config), nodeName);
  const ports = openKernel(config);
  try {
    const settings = contextSettings(config, nodeName, schedulerSupport(config), () => readPodTunnels(config));
    const context = makeContext(settings, facts, readNode(ports));
    return use({ nodeName, facts, problems, context, ports });
  } finally {
    closeKernel(ports);
  }
}

export function readActual({ ports, facts }: Pick<Snapshot, 'ports' | 'facts'>): Actual {
  const virtualServers = ports.ipvs.dump();
  const vips = ports.link.dumpVips();
  const elements =
    ports.filter.dump() ??
    ports.filter.dump(recordSets) ??
    recoverOwnership({ virtualServers, vips }, facts.services.values()).elements;
  return adoptReading({ virtualServers, vips, elements });
}
