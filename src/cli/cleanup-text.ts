import type { CleanupReport } from '../app/cleanup-report.ts';
import type { Styles } from './styles.ts';

/** What `sluice cleanup` prints. Ends with a newline. */
export function cleanupText({ removed, kept, failed }: CleanupReport, styles: Styles): string {
  const lines = [
    ...part(
      styles.red(`Could not be removed: ${failed.length}`),
      failed.map(({ what, error }) => [what, error]),
    ),
    ...part(
      styles.yellow(`Left alone: ${kept.length}`),
      kept.map(({ what, why }) => [what, why]),
    ),
    ...part(
      styles.green(`Removed: ${removed.length}`),
      removed.map((what) => [what]),
    ),
  ];
  if (lines.length === 0) {
    return 'Nothing to remove is on this node.\n';
  }
  const advice = failed.length > 0 ? ['Run the same command again when the cause is gone.'] : [];
  return `${[...lines, ...advice].join('\n')}\n`;
}

function part(heading: string, rows: readonly (readonly string[])[]): readonly string[] {
  return rows.length === 0 ? [] : [heading, ...rows.map((row) => `  ${row.join(': ')}`)];
}
