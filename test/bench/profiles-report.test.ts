import { describe, expect, it } from 'vitest';
import { profilesTables } from './profiles-report.ts';
import type { ProfileResult } from './result.ts';

const cold: ProfileResult = {
  kind: 'agent-cold-100x10',
  processes: 2,
  groupsMs: { idle: 500, 'garbage collection': 60, 'kernel/nft': 139.5, app: 0.5 },
};
const restart: ProfileResult = { kind: 'agent-restart-100x10', processes: 1, groupsMs: { 'kernel/nft': 10 } };

function cellsOf(table: string | undefined): readonly (readonly string[])[] {
  const lines = (table ?? '').split('\n').filter((line) => line.includes('│'));
  return lines.map((line) => line.split('│').slice(1, -1)).map((cells) => cells.map((cell) => cell.trim()));
}

describe('the tables of the profiles', () => {
  it('give each group its share of what was not idle, the largest first', () => {
    const [table, ...others] = profilesTables([cold, restart]);
    expect(others).toEqual([]);
    expect(cellsOf(table)).toEqual([
      ['', 'cold-100x10', 'restart-100x10'],
      ['processes', '2', '1'],
      ['idle, ms', '500', '0.000'],
      ['not idle, ms', '200', '10.0'],
      ['kernel/nft', '69.8', '100.0'],
      ['garbage collection', '30.0', ''],
      ['groups below 1 %', '0.3', ''],
    ]);
  });

  it('are one for each program, and more where it did much', () => {
    const many = Array.from({ length: 7 }, (_, index) => ({ ...cold, kind: `start-cold-${index}00x10` }));
    const titles = profilesTables([cold, ...many]).map((table) => table.split('\n', 1)[0]);
    expect(titles.map((title) => /of (\w+)/.exec(title ?? '')?.[1])).toEqual(['agent', 'start', 'start']);
    expect(profilesTables([])).toEqual([]);
  });
});
