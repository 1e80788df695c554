/** Hands the process to the command line. The only file that reads `process` or ends it. */

import { readFileSync } from 'node:fs';
import packageJson from '../package.json' with { type: 'json' };
import type { Application } from './cli/application.ts';
import { runCommandLine } from './cli/command-line.ts';
import type { Environment, Output } from './cli/environment.ts';

/** Loaded when needed: help must not wait for the Kubernetes client, nor fail for want of the addon. */
const application: Application = {
  runAgent: async (configuration, environment) => (await import('./app/agent.ts')).runAgent(configuration, environment),
  prepareNode: async (configuration, environment) =>
    (await import('./app/host/prepare-node.ts')).prepareNode(configuration, environment),
  cleanup: async (config) => (await import('./app/cleanup.ts')).cleanup(config),
  planMigration: async (config) => (await import('./app/migrate/migrate.ts')).planMigration(config),
  migrate: async (config, step, whileRunning) =>
    (await import('./app/migrate/migrate.ts')).migrate(config, step, whileRunning),
  preview: async (config) => (await import('./app/preview.ts')).preview(config),
  trace: async (config, packet) => (await import('./app/trace.ts')).traceOnNode(config, packet),
};

process.exitCode = await runCommandLine(environmentOfProcess(), application);

function environmentOfProcess(): Environment {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', endQuietlyWhenNobodyReads);
  }
  return {
    argv: process.argv.slice(2),
    env: process.env,
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    readText: (path) => readFileSync(path, 'utf8'),
    stop: stopSignal(),
    processId: process.pid,
    readProcess: () => {
      const { user, system } = process.cpuUsage();
      return {
        residentBytes: process.memoryUsage.rss(),
        cpuSeconds: (user + system) / 1e6,
        startTimeSeconds: Math.round(Date.now() / 1000 - process.uptime()),
      };
    },
    version: packageJson.version,
  };
}

function outputOf(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => stream.write(text),
    get isTTY() {
      return stream.isTTY;
    },
    get columns() {
      return stream.isTTY ? stream.columns : 80;
    },
  };
}

/** `sluice plan | head` ends without a stack trace; the agent must not go on without its log. */
function endQuietlyWhenNobodyReads(error: NodeJS.ErrnoException): void {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
}

/** The second signal ends the process at once, as a person who presses ^C twice expects. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => controller.abort(signal));
  }
  return controller.signal;
}
