import type { Environment, Output } from './environment.ts';

/** Marks text for a terminal, or leaves it as it is. */
export interface Styles {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

/** Colours on a terminal, unless NO_COLOR is set (no-color.org) or the terminal is dumb. */
export function stylesFor(output: Output, env: Environment['env']): Styles {
  const isPlain = !output.isTTY || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  const style = (on: number, off: number) => (text: string) =>
    isPlain || text === '' ? text : `\u001b[${on}m${text}\u001b[${off}m`;
  return {
    bold: style(1, 22),
    dim: style(2, 22),
    red: style(31, 39),
    green: style(32, 39),
    yellow: style(33, 39),
  };
}
