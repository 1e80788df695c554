/** The pauses of a program that only parses JSON, a few times: here, and in the test kernel. */

import type { JsonAloneAnswer } from './inside/json-alone.ts';
import type { JsonAloneResult, Size } from './result.ts';
import { summarise } from './statistics.ts';

const rounds = 5;

/** `run` runs the program `json-alone`, each time in a process of its own. */
export async function measureJsonAlone(
  size: Size,
  where: JsonAloneResult['where'],
  run: (size: Size) => Promise<JsonAloneAnswer>,
): Promise<JsonAloneResult> {
  const answers: JsonAloneAnswer[] = [];
  for (let round = 0; round < rounds; round += 1) {
    answers.push(await run(size));
  }
  return {
    size,
    where,
    objects: answers[0]?.objects ?? 0,
    tookMs: summarise(answers.map(({ tookMs }) => tookMs)),
    longestPauseMs: summarise(answers.map(({ longestPauseMs }) => longestPauseMs)),
    residentMiB: summarise(answers.map(({ residentMiB }) => residentMiB)),
  };
}
