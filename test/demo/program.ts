/**
 * The demo, inside the lab. The host's side (main.ts) bundles it, so that it starts at once there.
 *
 *   node demo.mjs ROOT [keep]
 */

import { release } from 'node:os';
import { join } from 'node:path';
import { runDemo } from './demo.ts';
import { keepTheWorld } from './keep.ts';
import { makePaint } from './screen/paint.ts';
import { makeScreen } from './screen/screen.ts';
import { failedChecks } from './step.ts';

const [root = '.', keep] = process.argv.slice(2);
// The host's terminal, which the machine of the lab cannot ask.
const onTerminal = process.env['SLUICE_DEMO_TERMINAL'] === '1';
const paint = makePaint(onTerminal && (process.env['NO_COLOR'] ?? '') === '');
const write = (text: string): void => void process.stdout.write(text);
const screen = makeScreen({ write, paint, showsProgress: onTerminal });

const started = performance.now();
screen.heading(
  `${paint.title('sluice')} ${paint.dim(`on Linux ${release()}: clients outside, two nodes with six pods, IPv4 and IPv6`)}`,
);
try {
  const results = await runDemo({
    sluiceProgram: join(root, 'dist/sluice.mjs'),
    manifests: join(root, 'test/demo/manifests'),
    begins: screen.begins,
    ended: screen.ended,
    ...(keep === 'keep' ? { keep: (stage) => keepTheWorld(stage, { write, paint }) } : {}),
  });
  screen.finished(results, (performance.now() - started) / 1000);
  process.exitCode = results.some((result) => failedChecks(result).length > 0) ? 1 : 0;
} catch (error) {
  screen.broke(error);
  process.exitCode = 1;
}
