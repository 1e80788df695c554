/** What one proxy does at one size, from its start on an empty node to its restart. */

import { setTimeout as sleep } from 'node:timers/promises';
import { isLate } from '../../given-up.ts';
import type { PeersPlan } from '../../plan.ts';
import type { PeerMeasures, PeerResult, Size, Timed } from '../../result.ts';
import { otherEndpoints } from '../endpoint-changes.ts';
import { quiet } from '../network-namespace.ts';
import { clusterIP, servicePort } from '../world.ts';
import type { Cluster } from './cluster.ts';
import type { Contender } from './contenders.ts';
import { type Answer, type Judge, openJudge } from './judge.ts';
import { onFreshNode } from './node.ts';
import { type ProxyProcess, startProxy } from './proxy-process.ts';
import { firstService } from './stored-objects.ts';

export interface PeerCase {
  readonly contender: Contender;
  readonly cluster: Cluster;
  readonly size: Size;
  readonly plan: PeersPlan;
}

/** A proxy that fails is a result too: the others are measured all the same. */
export function measurePeer(one: PeerCase): Promise<PeerResult> {
  return onFreshNode(async (namespace) => {
    const judge = openJudge({ namespace, programs: one.contender.programs, family: one.size.family });
    const command = one.contender.command(one.cluster.kubeconfig, one.size.family);
    const proxies: ProxyProcess[] = [];
    const start = (): ProxyProcess => {
      const proxy = startProxy(namespace, command);
      proxies.push(proxy);
      return proxy;
    };
    try {
      return await measureOn({ ...one, judge, start });
    } catch (error) {
      const log = proxies.at(-1)?.log() ?? '';
      const reason = `${error instanceof Error ? error.message : String(error)}\n${log.slice(-2_000)}`;
      return { kind: 'failed', proxy: one.contender.name, size: one.size, reason };
    } finally {
      judge.close();
      await Promise.all(proxies.map((proxy) => proxy.kill()));
      await one.cluster.restore(one.size);
    }
  });
}

interface Node extends PeerCase {
  readonly judge: Judge;
  readonly start: () => ProxyProcess;
}

async function measureOn(node: Node): Promise<PeerMeasures> {
  const { contender, size, plan } = node;
  const { proxy, cold, coldCpuMs } = await startCold(node);
  const begun = { kind: 'measured', proxy: contender.name, size, cold, coldCpuMs } as const;
  if (isLate(cold)) {
    process.stderr.write(`${contender.name} was late; the end of its log:\n${proxy.log().slice(-2_000)}\n`);
    const nothing = { change: [], answeredMs: [], added: [], removed: [], idle: undefined, restart: undefined };
    return { ...begun, ...nothing, residentMiB: await proxy.residentMiB() };
  }
  process.stderr.write(`  everything is programmed after ${cold.ms.toFixed(0)} ms\n`);
  const changes = await takeChanges(node);
  const services = changes.change.some(isLate) ? { added: [], removed: [] } : await takeServices(node);
  const residentMiB = await proxy.residentMiB();
  if ([...changes.change, ...services.added, ...services.removed].some(isLate)) {
    // What is asked next would meet a proxy that is still at work on this.
    return { ...begun, ...changes, ...services, residentMiB, idle: undefined, restart: undefined };
  }
  const idle = plan.idleSeconds === 0 ? undefined : await takeIdle(proxy, plan.idleSeconds);
  await proxy.kill();
  return { ...begun, ...changes, ...services, residentMiB, idle, restart: await restart(node) };
}

interface ColdStart {
  readonly proxy: ProxyProcess;
  readonly cold: Timed;
  readonly coldCpuMs: number;
}

async function startCold({ size, judge, start, plan }: Node): Promise<ColdStart> {
  // With the API server's own Service, which has one endpoint.
  const services = size.services + 1;
  const endpoints = size.services * size.endpoints + 1;
  const leaves = (await judge.leaves()) + services;
  const question = `whole ${services} ${endpoints} ${leaves}`;
  const { took, result: proxy } = await judge.time(question, plan.startLimitMs, start);
  await quiet();
  return { proxy, cold: took, coldCpuMs: await proxy.cpuMs() };
}

/** However long the machine takes to be quiet between them; the API server's first answer at a size takes longest. */
const leastChanges = 4;

async function takeChanges(node: Node): Promise<Pick<PeerMeasures, 'change' | 'answeredMs'>> {
  const { cluster, size, plan } = node;
  const change: Timed[] = [];
  const answeredMs: number[] = [];
  const end = performance.now() + plan.changesLimitMs;
  for (let number = 0; number < plan.changes && (number < leastChanges || performance.now() < end); number += 1) {
    const service = tcpService(size, Math.floor(number / 2));
    const endpoints = number % 2 === 0 ? otherEndpoints(size, 1) : size.endpoints;
    await rest();
    const act = () => cluster.setEndpoints(size, service, endpoints);
    const answer = await timeOne(node, plan.changeLimitMs, { service, endpoints }, act);
    change.push(answer.took);
    answeredMs.push(answer.actMs);
    // What is asked next would meet a proxy that is still at work on this.
    if (isLate(answer.took)) {
      break;
    }
  }
  return { change, answeredMs };
}

async function takeServices(node: Node): Promise<Pick<PeerMeasures, 'added' | 'removed'>> {
  const { cluster, size, plan } = node;
  const added: Timed[] = [];
  const removed: Timed[] = [];
  const service = firstService + size.services + 2;
  const time = async (endpoints: number, act: () => Promise<void>) => {
    await rest();
    return (await timeOne(node, plan.changeLimitMs, { service, endpoints }, act)).took;
  };
  const end = performance.now() + plan.changesLimitMs;
  for (
    let round = 0;
    round < plan.services && performance.now() < end && ![...added, ...removed].some(isLate);
    round += 1
  ) {
    await cluster.createSlice(size, service);
    added.push(await time(size.endpoints, () => cluster.createService(size, service)));
    if (!added.some(isLate)) {
      removed.push(await time(0, () => cluster.removeService(service)));
    }
    await cluster.restore(size);
  }
  return { added, removed };
}

/** Processor time over so many seconds in which nothing changes. */
async function takeIdle(proxy: ProxyProcess, seconds: number): Promise<NonNullable<PeerMeasures['idle']>> {
  await rest();
  const before = await proxy.cpuMs();
  await sleep(seconds * 1_000);
  return { cpuMs: (await proxy.cpuMs()) - before, seconds };
}

/**
 * One endpoint changes while the proxy is away. Until that is in the kernel, a proxy has read what is there and knows
 * what is wanted, whatever it does first: for all of them the end of a restart as seen from outside.
 */
async function restart(node: Node): Promise<NonNullable<PeerMeasures['restart']>> {
  const { cluster, size, plan } = node;
  const service = tcpService(size, 0);
  const endpoints = otherEndpoints(size, 2);
  await cluster.setEndpoints(size, service, endpoints);
  await rest();
  const { took, result: proxy } = await timeOne(node, plan.startLimitMs, { service, endpoints }, node.start);
  await quiet();
  return { took, cpuMs: await proxy.cpuMs() };
}

function timeOne<Result>(
  { judge, size }: Node,
  limitMs: number,
  { service, endpoints }: { readonly service: number; readonly endpoints: number },
  act: () => Result | Promise<Result>,
): Promise<Answer<Result>> {
  const question = `one ${clusterIP(size.family, service)} ${servicePort} ${endpoints}`;
  return judge.time(question, limitMs, act);
}

/** kube-proxy rests for a second after each sync (minSyncPeriod): each change is to meet a proxy that may begin at once. */
async function rest(): Promise<void> {
  await sleep(2_200);
  await quiet();
}

/** All over the table; every other Service is TCP. */
function tcpService(size: Size, index: number): number {
  return firstService + ((index * 7919) % Math.floor(size.services / 2)) * 2;
}
