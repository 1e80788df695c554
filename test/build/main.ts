import { packagesStep } from '../prerequisites/packages.ts';
import { runSteps } from '../prerequisites/steps.ts';
import { build } from './build.ts';

try {
  await runSteps([packagesStep]);
  await build((line) => console.log(line));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
