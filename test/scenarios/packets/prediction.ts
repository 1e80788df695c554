/** What `trace` says of a row, from what is wanted on each node and from what its kernel holds. */

import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../../../src/app/config/config.ts';
import { makeContext } from '../../../src/app/context.ts';
import { contextSettings, filterSkeleton, readNode, schedulerSupport } from '../../../src/app/kernel.ts';
import { readActual } from '../../../src/app/snapshot.ts';
import { openSource, readOnce } from '../../../src/app/source.ts';
import { parseInvocation } from '../../../src/cli/arguments.ts';
import { compileAll } from '../../../src/core/compile-all.ts';
import type { Packet, TraceNode } from '../../../src/core/trace/packet.ts';
import type { Trace } from '../../../src/core/trace/result.ts';
import { kernelState, type TraceState, wantedState } from '../../../src/core/trace/state.ts';
import { trace } from '../../../src/core/trace/trace.ts';
import { openIpvs } from '../../../src/kernel/ipvs/open-ipvs.ts';
import { openLink } from '../../../src/kernel/link/open-link.ts';
import { openFilter } from '../../../src/kernel/nft/open-filter.ts';
import { isAnswer } from '../../lab/traffic/result.ts';
import type { World } from '../../lab/world.ts';
import { handlerOf, type NodeName, placeOf, type Row, sources, targetOf } from './rows.ts';
import type { Observation } from './send.ts';

export interface Predictor {
  /** Undefined when what happened is what both traces say; else how they differ. */
  readonly contradiction: (row: Row, observed: Observation) => string | undefined;
  readonly close: () => void;
}

interface TracedNode {
  readonly wanted: TraceState;
  readonly inKernel: TraceState;
  readonly node: TraceNode;
  readonly close: () => void;
}

/** The configuration that an agent with these flags has. Throws when they are wrong. */
export function configOf(flags: readonly string[]): Config {
  const invocation = parseInvocation(['run', ...flags], () => '');
  if (invocation.kind !== 'run') {
    throw new Error(`expected the flags of an agent, got ${JSON.stringify(invocation)}`);
  }
  return invocation.config;
}

/** To be called when the agents have programmed the nodes by this configuration. */
export async function openPredictor(world: World, config: Config): Promise<Predictor> {
  const nodes: Readonly<Record<NodeName, TracedNode>> = {
    node1: await openNode({ ...config, hostnameOverride: 'node1' }),
    node2: await openNode({ ...config, hostnameOverride: 'node2' }),
  };
  return {
    contradiction: (row, observed) => {
      const wanted = followRow(world, row, nodes, 'wanted');
      const inKernel = followRow(world, row, nodes, 'inKernel');
      if (!isDeepStrictEqual(wanted, inKernel)) {
        return `wanted ${JSON.stringify(wanted)}, in the kernel ${JSON.stringify(inKernel)}`;
      }
      const predicted = predictedText(wanted);
      const seen = observedText(observed);
      return predicted === seen ? undefined : `predicted ${predicted}, but ${seen}`;
    },
    close: () => {
      for (const { close } of Object.values(nodes)) close();
    },
  };
}

async function openNode(config: Config): Promise<TracedNode> {
  const name = config.hostnameOverride ?? '';
  const { facts } = await readOnce(openSource(config), name);
  const networkNamespace = `/run/netns/${name}`;
  const link = openLink({
    interfaceName: config.vipInterface,
    mode: config.vipMode,
    steeringMark: config.fwmarkMask,
    networkNamespace,
  });
  const ports = { link, ipvs: openIpvs({ networkNamespace }), filter: openFilter({ networkNamespace }) };
  const settings = contextSettings(config, name, schedulerSupport(config));
  const context = makeContext(settings, facts, readNode(ports));
  const actual = readActual({ ports, facts });
  const desired = compileAll({ facts, context, fwmarkMask: config.fwmarkMask }, actual);
  const sourceTowards = remembered((address) => link.sourceTowards(address));
  const interfaceTowards = remembered((address) => link.interfaceTowards(address));
  const { masqueradeMark } = config;
  const { podInterface } = filterSkeleton(config);
  return {
    wanted: wantedState(desired),
    inKernel: kernelState(actual),
    node: { addresses: context.nodeAddresses, podInterface, masqueradeMark, sourceTowards, interfaceTowards },
    close: () => {
      ports.link.close();
      ports.ipvs.close();
      ports.filter.close();
    },
  };
}

/** From node to node: what the first one passes on meets the one that has the address. */
function followRow(
  world: World,
  row: Row,
  nodes: Readonly<Record<NodeName, TracedNode>>,
  state: 'wanted' | 'inKernel',
): Trace {
  const { node: first, sender } = sources[row.source];
  const { address, protocol, port } = targetOf(world, row);
  const source = sender === 'node' ? undefined : placeOf(world, row.source).addresses[row.family][0];
  const packet: Packet = { source, destination: address, protocol, port };
  const there = trace(packet, nodes[first][state], nodes[first].node);
  const handler = handlerOf(row);
  if (there.verdict.kind !== 'passed' || handler === first) {
    return there;
  }
  const [start] = there.steps;
  const sent = { ...packet, source: start?.step === 'source' ? start.address : source };
  return trace(sent, nodes[handler][state], nodes[handler].node);
}

function predictedText({ verdict }: Trace): string {
  switch (verdict.kind) {
    case 'balanced':
      return verdict.destinations
        .map(({ key, sees }) => `${key} sees ${sees.address ?? 'an unknown address'}`)
        .sort()
        .join(', ');
    case 'rejected':
      return 'refused';
    case 'dropped':
      return 'timeout';
    case 'passed':
      return 'passed';
  }
}

function observedText({ results }: Observation): string {
  const texts = results.map((result) =>
    isAnswer(result)
      ? `${endpointText(result.destinationSeen, result.destinationPortSeen)} sees ${result.sourceSeen}`
      : result,
  );
  return [...new Set(texts)].sort().join(', ');
}

function endpointText(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function remembered<Value>(ask: (key: string) => Value): (key: string) => Value {
  const known = new Map<string, Value>();
  return (key) => {
    const value = known.has(key) ? known.get(key) : undefined;
    if (value !== undefined) return value;
    const fresh = ask(key);
    known.set(key, fresh);
    return fresh;
  };
}
