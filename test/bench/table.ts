import Table from 'cli-table3';
import type { Size } from './result.ts';

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
