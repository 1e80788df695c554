/** Where the time of the processes went, as tables for people. */

import { idle } from './profiles/frame-group.ts';
import type { ProfileResult } from './result.ts';
import { ms, table } from './table.ts';

/** Columns of one table. */
const atOnce = 6;
/** A group that has less in every column is not shown. */
const leastPercent = 1;

/** A table for each program, or several where it did much. */
export function profilesTables(profiles: readonly ProfileResult[] = []): readonly string[] {
  const programs = [...new Set(profiles.map(programOf))].toSorted(serversLast);
  return programs.flatMap((program) => {
    const ofProgram = profiles.filter((profile) => programOf(profile) === program);
    const starts = ofProgram.map((_, index) => index).filter((index) => index % atOnce === 0);
    return starts.map((from) => tableOf(program, ofProgram.slice(from, from + atOnce)));
  });
}

/** They are part of the benchmark. */
function serversLast(one: string, other: string): number {
  return Number(one === 'server') - Number(other === 'server');
}

function programOf({ kind }: ProfileResult): string {
  return kind.split('-', 1)[0] ?? kind;
}

interface Row {
  readonly group: string;
  readonly percents: readonly number[];
}

function tableOf(program: string, profiles: readonly ProfileResult[]): string {
  const groups = new Set(profiles.flatMap(({ groupsMs }) => Object.keys(groupsMs)));
  groups.delete(idle);
  const rows = [...groups].map((group): Row => ({ group, percents: profiles.map((one) => percentOf(one, group)) }));
  const isShown = ({ percents }: Row) => Math.max(...percents) >= leastPercent;
  const shown = rows.filter(isShown).toSorted((one, other) => sum(other.percents) - sum(one.percents));
  const hidden = rows.filter((row) => !isShown(row));
  const rest = profiles.map((_, column) => sum(hidden.map(({ percents }) => percents[column] ?? 0)));
  return table(
    `Profiles of ${program}: self time of what was not idle, %`,
    ['', ...profiles.map(({ kind }) => kind.slice(program.length + 1))],
    [
      ['processes', ...profiles.map(({ processes }) => String(processes))],
      ['idle, ms', ...profiles.map(({ groupsMs }) => ms(groupsMs[idle] ?? 0))],
      ['not idle, ms', ...profiles.map((profile) => ms(busyMs(profile)))],
      ...shown.map(({ group, percents }) => [group, ...percents.map(percentText)]),
      [`groups below ${leastPercent} %`, ...rest.map(percentText)],
    ],
  );
}

function percentText(percent: number): string {
  return percent < 0.05 ? '' : percent.toFixed(1);
}

function percentOf(profile: ProfileResult, group: string): number {
  return (100 * (profile.groupsMs[group] ?? 0)) / busyMs(profile);
}

function busyMs({ groupsMs }: ProfileResult): number {
  return sum(Object.values(groupsMs)) - (groupsMs[idle] ?? 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
