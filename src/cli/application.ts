import type { CleanupReport } from '../app/cleanup-report.ts';
import type { Config } from '../app/config/config.ts';
import type { Configuration } from '../app/config/parse-config.ts';
import type { MigrationPlan } from '../app/migrate/migrate.ts';
import type { Preview } from '../app/preview.ts';
import type { TraceReport } from '../app/trace.ts';
import type { Packet } from '../core/trace/packet.ts';
import type { MigrationStep } from './commands.ts';
import type { Environment } from './environment.ts';

/** What the commands can do. Handed in, so that help and version load nothing, and tests touch no kernel. */
export interface Application {
  /** Runs until `environment.stop`; leaves the kernel as it is. */
  runAgent(configuration: Configuration, environment: Environment): Promise<void>;
  /** Does what needs more than NET_ADMIN. False when something that is needed could not be done. */
  prepareNode(configuration: Configuration, environment: Environment): Promise<boolean>;
  /** Reads only. */
  planMigration(config: Config): Promise<MigrationPlan>;
  /** Removes what another proxy left, or what kube-proxy does without of sluice. */
  migrate(config: Config, step: Exclude<MigrationStep, 'plan'>, whileRunning: boolean): Promise<CleanupReport>;
  cleanup(config: Config): Promise<CleanupReport>;
  /** Reads only. */
  preview(config: Config): Promise<Preview>;
  /** Reads only. */
  trace(config: Config, packet: Packet): Promise<TraceReport>;
}
