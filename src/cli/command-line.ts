import { formatWarning, warningsOf } from '../app/config/notice.ts';
import type { Configuration } from '../app/config/parse-config.ts';
import { formatProblem } from '../app/config/problem.ts';
import { planManifest } from '../app/manifest.ts';
import { manifestObjects } from '../core/manifest/manifest.ts';
import { manifestNotes } from '../core/manifest/notes.ts';
import type { Application } from './application.ts';
import { type Invocation, parseInvocation } from './arguments.ts';
import { cleanupText } from './cleanup-text.ts';
import type { Environment } from './environment.ts';
import { helpText } from './help.ts';
import { manifestText } from './manifest-text.ts';
import { migrationText } from './migration-text.ts';
import { planText } from './plan-text.ts';
import { stylesFor } from './styles.ts';
import { traceText } from './trace-text.ts';

/** 0: done. 1: it failed. 2: the command line is wrong. */
export type ExitCode = 0 | 1 | 2;

/** Does what the command line asks for. */
export async function runCommandLine(environment: Environment, application: Application): Promise<ExitCode> {
  try {
    return await dispatch(environment, application);
  } catch (error) {
    environment.stderr.write(`sluice: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

async function dispatch(environment: Environment, application: Application): Promise<ExitCode> {
  const { argv, env, stdout, stderr, readText } = environment;
  const invocation = parseInvocation(argv, readText);
  const styles = stylesFor(stdout, env);
  switch (invocation.kind) {
    case 'help':
      stdout.write(helpText(invocation.command, { columns: stdout.columns, styles }));
      return 0;
    case 'version':
      stdout.write(`sluice ${environment.version}\n`);
      return 0;
    case 'problems':
      warn(invocation, environment);
      stderr.write(invocation.problems.map((problem) => `${formatProblem(problem)}\n`).join(''));
      return 2;
    case 'run':
      await application.runAgent(invocation, environment);
      return 0;
    case 'prepare':
      return (await application.prepareNode(invocation, environment)) ? 0 : 1;
    case 'plan': {
      warn(invocation, environment);
      const preview = await application.preview(invocation.config);
      stdout.write(invocation.output === 'json' ? json(preview) : planText(preview, styles));
      return 0;
    }
    case 'trace': {
      warn(invocation, environment);
      const report = await application.trace(invocation.config, invocation.packet);
      stdout.write(invocation.output === 'json' ? json(report) : traceText(report, styles));
      return 0;
    }
    case 'manifest':
      warn(invocation, environment);
      stdout.write(manifestOf(invocation, environment));
      return 0;
    case 'migrate':
      warn(invocation, environment);
      return migrate(invocation, environment, application);
    case 'cleanup': {
      warn(invocation, environment);
      const report = await application.cleanup(invocation.config);
      stdout.write(invocation.output === 'json' ? json(report) : cleanupText(report, styles));
      return report.failed.length > 0 ? 1 : 0;
    }
  }
}

async function migrate(
  { config, step, whileRunning, output }: Extract<Invocation, { kind: 'migrate' }>,
  { stdout, env }: Environment,
  application: Application,
): Promise<ExitCode> {
  const styles = stylesFor(stdout, env);
  if (step === 'plan') {
    const plan = await application.planMigration(config);
    stdout.write(output === 'json' ? json(plan) : migrationText(plan, styles));
    return 0;
  }
  const report = await application.migrate(config, step, whileRunning);
  stdout.write(output === 'json' ? json(report) : cleanupText(report, styles));
  return report.failed.length > 0 ? 1 : 0;
}

function manifestOf(
  { place, output, ...configuration }: Extract<Invocation, { kind: 'manifest' }>,
  { version, stderr }: Environment,
): string {
  const { image = `localhost/sluice:${version}`, namespace } = place;
  const { input, examples, omissions } = planManifest(configuration, { image, namespace });
  for (const { argument, what } of examples) {
    stderr.write(`warning: ${argument} is an example; give ${what}\n`);
  }
  for (const omission of omissions) {
    stderr.write(`warning: the manifest leaves out ${omission}\n`);
  }
  const objects = manifestObjects(input);
  return output === 'json'
    ? json({ apiVersion: 'v1', kind: 'List', items: objects })
    : manifestText(objects, manifestNotes(examples));
}

/** The other commands have a log for it. */
function warn({ notices }: Pick<Configuration, 'notices'>, { stderr }: Environment): void {
  for (const warning of warningsOf(notices)) {
    stderr.write(`warning: ${formatWarning(warning)}\n`);
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
