/**
 * A process of its own: takes the facts in, runs the first pass, says where the time went and ends. On an empty table
 * that is a cold start, on a table that is already right a restart. Argument: a `StartInput` as JSON.
 */

import { closeKernel, filterSkeleton, openKernel, readNode } from '../../../src/app/kernel.ts';
import type { VipMode } from '../../../src/core/model/vip.ts';
import type { Size, StartRun } from '../result.ts';
import { median } from '../statistics.ts';
import { assemble, benchConfig, setNeededSysctls } from './agent-parts.ts';
import { readArgument, tell } from './child.ts';
import { factsOf } from './facts.ts';
import { timePorts } from './timed-ports.ts';

export interface StartInput {
  readonly size: Size;
  readonly vipMode: VipMode;
}

tell(await start(readArgument<StartInput>()));

async function start({ size, vipMode }: StartInput): Promise<StartRun> {
  const config = benchConfig(vipMode);
  setNeededSysctls();
  const beforeFacts = performance.now();
  const facts = factsOf(size);
  const factsMs = performance.now() - beforeFacts;
  const { ports, times } = timePorts(openKernel(config));
  const { reconciler, contextOf } = assemble(config, ports);
  reconciler.changes(facts);
  await ports.filter.ensureTable(filterSkeleton(config));
  ports.link.ensureInterface();
  reconciler.setContext(contextOf(readNode(ports)));
  const { durationMs, spans, execution } = reconciler.start();
  const processMs = performance.now() - factsMs;
  closeKernel(ports);
  const [failure] = execution.failed;
  if (failure !== undefined || execution.withheld.length > 0 || execution.isUncertain) {
    throw new Error(`expected every operation to succeed, found ${JSON.stringify(failure)}`);
  }
  if (spans === undefined) {
    throw new Error('expected the first pass to say where its time went, found nothing');
  }
  return {
    operations: {
      ipvs: times.ipvs.operations,
      filter: times.filter.operations,
      vips: times.vips.operations,
    },
    passMs: durationMs,
    ...spans,
    ipvsMs: times.ipvs.ms,
    ipvsSteadyMs: times.ipvs.paces.length === 0 ? 0 : median(times.ipvs.paces) * times.ipvs.operations,
    filterMs: times.filter.ms,
    vipsMs: times.vips.ms,
    ipvsReadMs: times.ipvs.readMs,
    filterReadMs: times.filter.readMs,
    vipsReadMs: times.vips.readMs,
    processMs,
  };
}
