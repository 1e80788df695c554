/**
 * The agent as it is shipped on a node with UDP flows that another proxy translated, all to one endpoint. Those through
 * IPVS are not its business: the kernel ends them itself. In a network namespace. Argument: a `UdpFlowsInput` as JSON.
 */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { Size } from '../result.ts';
import { type ApiServer, serveApi } from './api-server.ts';
import { readArgument, tell } from './child.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { nodeOptions } from './node-options.ts';
import { openJudge } from './peers/judge.ts';
import { type ShippedAgent, startShippedAgent, timeStart } from './shipped-agent.ts';
import { clusterIP, endpointAddress, endpointPort, servicePort } from './world.ts';

export interface UdpFlowsInput {
  readonly flows: number;
  /** How often all flows are gone through for nothing. */
  readonly walks: number;
}

export interface UdpFlowsRun {
  /** From writing the watch line without the endpoint to the last of its flows. */
  readonly goneMs: number;
  /** From the first to the last flow of the family, while none is stale. */
  readonly walkMs: readonly number[];
}

const size: Size = { services: 10, endpoints: 10, family: 'IPv4' };
/** Odd ones are UDP, see `protocolOf`. */
const [service, otherService] = [1, 3];
const folder = '/proc/sys/net/netfilter';
/** Of other flows in the namespace, those to the API server and the agent. */
const otherFlows = 20;
const limitMs = 60_000;
const firstPort = 20_000;
const walkMetric = 'kubeproxy_conntrack_reconciler_sync_duration_seconds';

tell(await measure(readArgument<UdpFlowsInput>()));

async function measure({ flows, walks }: UdpFlowsInput): Promise<UdpFlowsRun> {
  await makeFlows(flows);
  const server = await serveApi(size);
  const judge = openJudge({ namespace: '-', programs: 'ipvs', family: size.family });
  const kubeconfig = await writeKubeconfig(server.url);
  const { started: agent } = await timeStart(judge, size, () =>
    startShippedAgent(kubeconfig, nodeOptions('agent-udp', size)),
  );
  // The pass over the flows after the start, and the rest after it.
  await sleep(2_000);
  const walkMs: number[] = [];
  for (let walk = 0; walk < walks; walk += 1) {
    walkMs.push(await walkOnce(server, agent, size.endpoints - 1 + (walk % 2)));
  }
  const goneMs = await timeRemoval(server, flows);
  // The pass is counted when it is over.
  await sleep(1_000);
  const deleted = await agent.metric('kubeproxy_conntrack_reconciler_deleted_entries_total');
  if (deleted !== flows) {
    throw new Error(`expected the agent to have deleted ${flows} flows, found ${deleted}`);
  }
  await agent.end('SIGTERM');
  judge.close();
  server.close();
  return { goneMs, walkMs };
}

/** From a port each to the Service, translated to its last endpoint, which does not answer. */
async function makeFlows(count: number): Promise<void> {
  await writeFile(`${folder}/nf_conntrack_udp_timeout`, '600');
  const address = clusterIP(size.family, service);
  const endpoint = `${endpointAddress(size, service, size.endpoints - 1)}:${endpointPort}`;
  const rule = `ip daddr ${address} udp dport ${servicePort} dnat ip to ${endpoint}`;
  await execa('nft', [`table inet other { chain out { type nat hook output priority -100; ${rule}; }; }`]);
  for (let index = 0; index < count; index += 1) {
    const socket = createSocket('udp4');
    socket.bind(firstPort + index);
    await once(socket, 'listening');
    await new Promise((resolve) => socket.send('flow', servicePort, address, resolve));
    socket.close();
  }
  if (flowCount() < count) {
    throw new Error(`expected ${count} flows, found ${flowCount()}`);
  }
}

function flowCount(): number {
  return Number(readFileSync(`${folder}/nf_conntrack_count`, 'utf8'));
}

/** The endpoints of another Service change, and so all flows are looked at. */
async function walkOnce(server: ApiServer, agent: ShippedAgent, endpoints: number): Promise<number> {
  const read = async () => ({
    passes: await agent.metric(`${walkMetric}_count`),
    seconds: await agent.metric(`${walkMetric}_sum`),
  });
  const before = await read();
  server.prepareSlice(otherService, endpoints)();
  // Nobody asks meanwhile, which would take its turn between the pieces of the list.
  await sleep(1_000);
  const after = await read();
  if (after.passes !== before.passes + 1) {
    throw new Error(`expected one pass over the flows, found ${after.passes - before.passes}`);
  }
  return (after.seconds - before.seconds) * 1_000;
}

async function timeRemoval(server: ApiServer, flows: number): Promise<number> {
  const enough = flowCount() - flows + otherFlows;
  const send = server.prepareSlice(service, size.endpoints - 1);
  const sentAt = performance.now();
  send();
  while (flowCount() > enough) {
    if (performance.now() - sentAt > limitMs) {
      throw new Error(`expected the flows to be gone, found ${flowCount()} after ${limitMs} ms`);
    }
    await sleep(1);
  }
  return performance.now() - sentAt;
}
