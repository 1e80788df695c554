import { Listr } from 'listr2';

/** One thing that must be there before the tests can run. */
export interface Step {
  readonly title: string;
  /** Whether nothing is to be done; cheap. Asked when the steps before it are done. */
  readonly isReady: () => Promise<boolean>;
  /** Does it. What is reported is shown while it lasts, what is returned stays. */
  readonly run: (report: (line: string) => void) => Promise<string | undefined>;
}

/** Does what is not ready, in order. Silent when everything is. On a terminal with live progress, else in plain lines. */
export async function runSteps(steps: readonly Step[]): Promise<void> {
  for (const [index, step] of steps.entries()) {
    if (await step.isReady()) continue;
    const rest = steps.slice(index);
    await (process.stderr.isTTY ? runOnTerminal(rest) : runInPlainLines(rest));
    return;
  }
}

async function runOnTerminal(steps: readonly Step[]): Promise<void> {
  const tasks = steps.map((step) => ({
    title: step.title,
    skip: () => step.isReady().then((ready) => (ready ? `${step.title}: ready` : false)),
    task: async (_: unknown, task: { title: string; output: string }) => {
      const detail = await step.run((line) => {
        // listr2 shows the last line that was set.
        // oxlint-disable-next-line no-param-reassign
        task.output = line;
      });
      // oxlint-disable-next-line no-param-reassign
      if (detail !== undefined) task.title = `${step.title}: ${detail}`;
    },
  }));
  await new Listr(tasks, {
    rendererOptions: { showErrorMessage: false, timer: { condition: true, field: elapsed } },
  }).run();
}

async function runInPlainLines(steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    if (await step.isReady()) continue;
    const started = performance.now();
    console.error(`${step.title}: being prepared`);
    const detail = await step.run(() => {});
    console.error(`${step.title}: ${detail ?? 'ready'} (${elapsed(performance.now() - started)})`);
  }
}

function elapsed(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
