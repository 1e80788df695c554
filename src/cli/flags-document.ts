import { type Flag, flagGroups } from '../app/config/flag.ts';
import { flags } from '../app/config/flags.ts';

/** The text of docs/flags.md, made from the table of flags. */
export function flagsDocument(): string {
  return [
    '# Flags',
    '',
    'Made from the table in `src/app/config/flags.ts`; a test fails when this page differs from it',
    '(`npx vitest run test/cli/flags-document.test.ts -u` writes it anew).',
    '',
    'A flag is written `--flag=value` or `--flag value`, a switch `--flag` or `--flag=false`. Lists take commas, and',
    'repeating the flag adds to them. Durations are written as in Go: `500ms`, `30s`, `1m30s`. "From" tells in which',
    'programs a flag has the same name and meaning.',
    '',
    ...flagGroups.flatMap(groupLines),
  ].join('\n');
}

function groupLines(group: (typeof flagGroups)[number]): readonly string[] {
  const rows = flags.filter((flag) => flag.group === group).map(row);
  return [`## ${group}`, '', '| Flag | Default | From | Meaning |', '|---|---|---|---|', ...rows, ''];
}

function row(flag: Flag): string {
  const names = [flag.name, ...(flag.aliases ?? [])].map((name) => `\`--${name}\``).join(', ');
  const value = flag.placeholder === '' ? '' : ` \`${flag.placeholder}\``;
  const shownDefault = flag.defaultText === '' ? 'none' : `\`${flag.defaultText}\``;
  return `| ${[names + value, shownDefault, flag.origin, flag.help].map(cell).join(' | ')} |`;
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`);
}
