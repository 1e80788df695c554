import Table from 'cli-table3';
import { type Block, type Check, failedChecks, type StepResult } from '../step.ts';
import type { Paint } from './paint.ts';

/** Where the demo is shown. */
export interface ScreenOptions {
  readonly write: (text: string) => void;
  readonly paint: Paint;
  /** Whether a line may say what is being done and vanish when it is done; needs a terminal. */
  readonly showsProgress: boolean;
}

export interface Screen {
  readonly heading: (text: string) => void;
  readonly begins: (doing: string) => void;
  readonly ended: (result: StepResult, seconds: number) => void;
  readonly finished: (results: readonly StepResult[], seconds: number) => void;
  /** A step could not even come to a result. */
  readonly broke: (error: unknown) => void;
}

export function makeScreen({ write, paint, showsProgress }: ScreenOptions): Screen {
  const clear = showsProgress ? '\r\u001b[2K' : '';
  let number = 0;
  return {
    heading: (text) => write(`${text}\n`),
    begins: (doing) => {
      if (showsProgress) write(`${clear}${paint.dim(`  … ${doing}`)}`);
    },
    ended: (result, seconds) => {
      number += 1;
      const [title, ...rest] = stepLines(result, number, paint);
      write(`${clear}${[`${title} ${paint.dim(`${seconds.toFixed(1)} s`)}`, ...rest].join('\n')}\n`);
    },
    finished: (results, seconds) => write(`${clear}${verdict(results, seconds, paint)}\n`),
    broke: (error) => write(`${clear}${paint.bad('✘')} ${error instanceof Error ? error.message : String(error)}\n`),
  };
}

function stepLines(result: StepResult, number: number, paint: Paint): readonly string[] {
  const failed = failedChecks(result);
  const mark = failed.length === 0 ? paint.good('✔') : paint.bad('✘');
  return [
    `${mark} ${paint.title(`${number} ${result.title}`)}`,
    ...result.blocks.flatMap((block) => blockLines(block, paint)).map((text) => `  ${text}`),
    ...failed.flatMap((check) => failureLines(check, paint)),
  ];
}

function blockLines(block: Block, paint: Paint): readonly string[] {
  switch (block.kind) {
    case 'line':
      return [paint.names(block.text)];
    case 'table':
      return tableLines(block, paint);
  }
}

function tableLines({ head, rows }: Extract<Block, { kind: 'table' }>, paint: Paint): readonly string[] {
  const none = ['top', 'bottom', 'left', 'right', 'mid'].flatMap((side) => [
    side,
    `${side}-left`,
    `${side}-right`,
    `${side}-mid`,
  ]);
  const table = new Table({
    chars: {
      ...Object.fromEntries(none.map((each) => [each, ''])),
      'left-mid': '',
      middle: '  ',
      'top-mid': '',
      'bottom-mid': '',
      'mid-mid': '',
    },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
  });
  const headRow = head.map((text) => paint.dim(text));
  table.push(...(head.length === 0 ? [] : [headRow]), ...rows.map((row) => row.map((text) => paint.names(text))));
  return table
    .toString()
    .split('\n')
    .map((text) => text.trimEnd());
}

function failureLines({ what, expected, found }: Check, paint: Paint): readonly string[] {
  return [
    `  ${paint.bad('✘')} ${what}`,
    `      expected ${paint.good(indented(expected))}`,
    `      found    ${paint.bad(indented(found))}`,
  ];
}

function indented(text: string): string {
  return text === '' ? 'nothing' : text.split('\n').join('\n               ');
}

function verdict(results: readonly StepResult[], seconds: number, paint: Paint): string {
  const checks = results.reduce((sum, result) => sum + result.checks.length, 0);
  const failed = results.reduce((sum, result) => sum + failedChecks(result).length, 0);
  const outcome =
    failed === 0 ? paint.good(`All ${checks} checks passed`) : paint.bad(`${failed} of ${checks} checks failed`);
  return `${outcome} ${paint.dim(`in ${seconds.toFixed(0)} s`)}`;
}
