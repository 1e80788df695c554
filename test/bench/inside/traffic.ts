/**
 * What clients notice of the acts in the life of the agent as it is shipped: new connections, and a download. Runs in the
 * network namespace of the node. Argument: a `TrafficInput` as JSON.
 */

import type { Size, TrafficResult } from '../result.ts';
import { summarise } from '../statistics.ts';
import { type ActsPlan, limitMs, markerQuestion, play, type Scene, timeMarker } from './acts.ts';
import { serveApi } from './api-server.ts';
import { readArgument, tell } from './child.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { nodeOptions } from './node-options.ts';
import { openJudge } from './peers/judge.ts';
import { startShippedAgent, timeStart } from './shipped-agent.ts';
import { connector, downloader, type SteadyClient } from './steady-client.ts';
import { clusterIP, servicePort } from './world.ts';

export interface TrafficInput extends ActsPlan {
  readonly size: Size;
  /** The network namespace of the client. */
  readonly client: string;
}

type Stage = Omit<Scene, 'watch'>;
type Happening = (watch: Scene['watch']) => Promise<unknown>;

tell(await measure(readArgument<TrafficInput>()));

async function measure({ size, client, ...plan }: TrafficInput): Promise<readonly TrafficResult[]> {
  const server = await serveApi(size);
  const judge = openJudge({ namespace: '-', programs: 'ipvs', family: size.family });
  const kubeconfig = await writeKubeconfig(server.url);
  const start = () => startShippedAgent(kubeconfig, nodeOptions('agent-traffic', size));
  const stage: Stage = { size, server, judge };
  let { started: agent } = await timeStart(judge, size, start);
  const results: TrafficResult[] = [];
  for (const act of plan.acts) {
    const happening: Happening = (watch) => play(act, { ...stage, watch }, plan);
    results.push({ size, act, ...(await underTraffic(client, size, happening)) });
  }
  const restart: Happening = async (watch) => {
    await timeMarker(stage, false, () => {});
    await watch(async () => {
      await agent.end('SIGKILL');
      agent = (await judge.time(markerQuestion(size, true), limitMs, start)).result;
    });
  };
  results.push({ size, act: 'restart', ...(await underTraffic(client, size, restart)) });
  await agent.end('SIGTERM');
  judge.close();
  server.close();
  return results;
}

type Noticed = Omit<TrafficResult, 'size' | 'act'>;

/** Twice: a download leaves a single core little time for anything else. */
async function underTraffic(client: string, size: Size, happening: Happening): Promise<Noticed> {
  const connected = await reportOf(happening, connector(client, addressesOf(size), servicePort));
  const downloaded = await reportOf(happening, downloader(client, clusterIP(size.family, 2), servicePort));
  return {
    connectMicroseconds: summarise(connected.took),
    failedConnections: connected.failed,
    megabytesPerSecond: downloaded.bytes / downloaded.seconds / 1e6,
    brokenDownloads: downloaded.failed,
  };
}

async function reportOf<Report>(happening: Happening, client: SteadyClient<Report>): Promise<Report> {
  const reports: Report[] = [];
  await happening(async (act) => {
    const { report, value } = await client(act);
    reports.push(report);
    return value;
  });
  const [report] = reports;
  if (report === undefined) {
    throw new Error('expected an act that is watched, found none');
  }
  return report;
}

/** TCP Services all over the table. */
function addressesOf({ family, services }: Size): readonly string[] {
  const count = Math.min(100, services / 2);
  return Array.from({ length: count }, (_, index) => clusterIP(family, Math.floor((index * services) / 2 / count) * 2));
}
