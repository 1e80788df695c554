import Table from 'cli-table3';
import type { BenchResult, Size } from './result.ts';

/** Empty without rows. */
export function table(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) {
    return '';
  }
  const made = new Table({
    head: [...head],
    colAligns: head.map((_, index) => (index === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  made.push(...rows.map((row) => [...row]));
  return `${title}\n${made.toString()}`;
}

/** The same as Markdown. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const alignment = head.map((_, index) => (index === 0 ? '---' : '---:'));
  const full = rows.map((row) => head.map((_, index) => row[index] ?? ''));
  return [head, alignment, ...full].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export function sizeText({ services, endpoints, family }: Size): string {
  return `${services.toLocaleString('en')} × ${endpoints} ${family}`;
}

/** Three digits that mean something. */
export function ms(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(value >= 1 ? 2 : 3);
}

export function times(value: number): string {
  return `${value.toFixed(1)} ×`;
}

export function loadText({ before, after }: NonNullable<BenchResult['hostLoad']>): string {
  return `load of the host ${before.toFixed(1)} before, ${after.toFixed(1)} at the end`;
}
