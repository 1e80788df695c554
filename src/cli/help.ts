/** `--help`, made from the tables of commands and flags. */

import { type Flag, flagGroups } from '../app/config/flag.ts';
import { flags } from '../app/config/flags.ts';
import { type CommandFlag, type CommandName, commandNames, commands, helpFlag, versionFlag } from './commands.ts';
import { type Entry, formatEntry, wrap } from './layout.ts';
import type { Styles } from './styles.ts';

export interface HelpLayout {
  readonly columns: number;
  readonly styles: Styles;
}

/** The help of sluice, or of one command. Ends with a newline. */
export function helpText(command: CommandName | undefined, layout: HelpLayout): string {
  // Beyond 100 characters lines are hard to read, below 40 there is nothing to lay out.
  const usable = { ...layout, columns: Math.min(100, Math.max(40, layout.columns)) };
  const lines = command === undefined ? overview(usable) : commandHelp(command, usable);
  return `${lines.join('\n').trimEnd()}\n`;
}

function overview(layout: HelpLayout): readonly string[] {
  const { styles, columns } = layout;
  return [
    ...wrap(
      `${styles.bold('sluice')}: an IPVS service proxy for Kubernetes nodes, with a scheduler per Service.`,
      columns,
    ),
    '',
    heading('Usage', styles),
    '  sluice [COMMAND] [FLAG]…',
    '',
    ...section(
      'Commands',
      commandNames.map((name) => ({ term: name, text: commands[name].summary })),
      { ...layout, indent: 12 },
    ),
    ...configSections(layout),
    ...section('Help', [helpFlag, versionFlag].map(commandFlagEntry), { ...layout, indent: flagIndent }),
    ...exampleLines(
      commandNames.flatMap((name) => commands[name].examples),
      layout,
    ),
    ...wrap(
      'Durations are written as in Go: 500ms, 30s, 1m30s. A list may be given with commas or by repeating the flag.',
      columns,
    ),
  ];
}

function commandHelp(name: CommandName, layout: HelpLayout): readonly string[] {
  const command = commands[name];
  return [
    `${layout.styles.bold(`sluice ${name}`)}: ${command.summary}`,
    '',
    heading('Usage', layout.styles),
    `  sluice ${[name, command.operands, '[FLAG]…'].filter((word) => word !== '').join(' ')}`,
    '',
    ...command.description.flatMap((paragraph) => [...wrap(paragraph, layout.columns), '']),
    ...exampleLines(command.examples, layout),
    ...section('Flags', [...command.flags, helpFlag].map(commandFlagEntry), { ...layout, indent: flagIndent }),
    ...(command.isConfigurable ? configSections(layout) : []),
  ];
}

const flagIndent = 30;

function configSections(layout: HelpLayout): readonly string[] {
  return flagGroups.flatMap((group) =>
    section(group, flags.filter((flag) => flag.group === group).map(flagEntry), { ...layout, indent: flagIndent }),
  );
}

function section(
  title: string,
  entries: readonly Entry[],
  layout: HelpLayout & { readonly indent: number },
): readonly string[] {
  const { styles, columns } = layout;
  // On a narrow terminal the explanation goes under the term.
  const indent = columns < 70 ? 6 : layout.indent;
  const lines = entries.flatMap((entry) =>
    formatEntry(entry, { indent, columns, styleTerm: (term) => styles.green(term) }),
  );
  return [heading(title, styles), ...lines, ''];
}

function heading(title: string, styles: Styles): string {
  return styles.bold(`${title}:`);
}

function flagEntry(flag: Flag): Entry {
  const aliases = (flag.aliases ?? []).map((alias) => `--${alias}`).join(', ');
  const text = [
    flag.help,
    flag.isSwitch || flag.defaultText === '' ? '' : ` Default: ${flag.defaultText}.`,
    aliases === '' ? '' : ` Also: ${aliases}.`,
  ];
  return { term: `--${flag.name}${flag.placeholder === '' ? '' : ` ${flag.placeholder}`}`, text: text.join('') };
}

function commandFlagEntry(flag: CommandFlag): Entry {
  const short = flag.short === undefined ? '' : `-${flag.short}, `;
  const placeholder = flag.placeholder === '' ? '' : ` ${flag.placeholder}`;
  return { term: `${short}--${flag.name}${placeholder}`, text: flag.help };
}

function exampleLines(
  examples: readonly (readonly [line: string, purpose: string])[],
  { styles }: HelpLayout,
): readonly string[] {
  if (examples.length === 0) {
    return [];
  }
  const lines = examples.flatMap(([line, purpose]) => [`  ${styles.dim(`# ${purpose}`)}`, `  ${line}`]);
  return [heading('Examples', styles), ...lines, ''];
}
