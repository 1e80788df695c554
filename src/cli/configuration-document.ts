import { flags } from '../app/config/flags.ts';
import { foreignSettings } from '../app/config/foreign/flags.ts';
import type { ForeignSetting } from '../app/config/foreign/foreign-setting.ts';
import type { Meaning } from '../app/config/foreign/meaning.ts';

/** The text of docs/configuration.md, made from the tables of settings. */
export function configurationDocument(): string {
  return `${[...introduction, ...fieldLines(), ...flagLines('kube-proxy'), ...flagLines('kube-router')].join('\n')}\n`;
}

const introduction = [
  '# Configuration',
  '',
  'Made from the tables in `src/app/config/foreign`; a test fails when this page differs from them',
  "(`npx vitest run test/cli/configuration-document.test.ts -u` writes it anew). sluice's own flags are in",
  '[flags.md](flags.md).',
  '',
  "sluice takes kube-proxy's configuration file, and the flags of kube-proxy and kube-router. Every setting of theirs has",
  'one of three fates:',
  '',
  '- **honoured**: it does what it does there, as the flag of sluice that is named;',
  '- **ignored**: it is accepted without effect. All of them are named in one warning, with the reason. A value that asks',
  '  for what sluice does anyway is not worth a warning;',
  '- **refused**: sluice does not start, since going on without it would surprise.',
  '',
  'Where sluice takes two names for one flag, both are listed. A flag that none of the three programs knows is an error,',
  'and so is a wrong value, also of what is ignored. All errors are told together, with exit code 2.',
  '',
  '## The file',
  '',
  '`--config FILE` names a `KubeProxyConfiguration` (`kubeproxy.config.k8s.io/v1alpha1`), in YAML or JSON.',
  '',
  '- A field that is unknown, or given more than once (the last one counts), is accepted with one warning that names them',
  '  all. A wrong type or value is an error with file, line and field, what is expected and what is there.',
  '- A field that is null, or the zero of its type where kube-proxy means "default" by it, is left to its default.',
  '- With a file, a flag whose setting the file has a field for does not count, also where the field is absent, as in',
  '  kube-proxy; one warning names these flags. `--hostname-override`, `--log-level` and `--log-format` count before the',
  '  file, and so do all flags whose setting the file has no field for: `--master`, `--manifests`, `--init-only`,',
  '  `--cleanup`, `--vip-mode`, `--fwmark-mask` and the like.',
  '- When the content of the file changes, sluice ends with exit code 1 and says so; what it programmed stays in force, and',
  '  the next start reads the file. A file that is put in place of another by renaming, and the symbolic links of a',
  '  ConfigMap volume, are followed. A file that is gone changes nothing.',
  '- `mode` may say `iptables` or `nftables`: sluice serves the same Services with IPVS and says so in a warning. The',
  '  masquerade bit then comes from the section of that mode.',
  '',
  '## Settings of the host',
  '',
  'The sysctls of connection tracking, `ipvs.strictARP`, the IPVS timeouts and the score of the OOM killer are set at the',
  "start, where they differ. They are the host's: nothing sets them back.",
  '',
  '| What cannot be set | What happens |',
  '|---|---|',
  '| a sysctl that the datapath needs | an error in the log with what helps; sluice runs |',
  '| a default of connection tracking | a warning with what helps; sluice runs |',
  '| what a flag or the file asks for | sluice ends with an error that lists them, as kube-proxy does |',
  '| the IPVS timeouts, the OOM score | an error or a line in the log; sluice runs |',
  '',
  '`/proc/sys` is read-only in every container that is not privileged. `sluice run --init-only`, with the same',
  'configuration and all privileges, loads the modules (with `modprobe` where there is one; else the kernel loads what it',
  'can) and sets everything; afterwards there is nothing left to set, and `sluice run` needs NET_ADMIN alone. It exits with',
  '1 when something that the datapath needs or that was asked for could not be set.',
  '',
];

function fieldLines(): readonly string[] {
  const rows = foreignSettings.flatMap((setting) => {
    const { field, type, meaning } = setting;
    return field === undefined
      ? []
      : [row([`\`${field}\``, type, fate(meaning), explanation(setting) + whereItCounts(setting)])];
  });
  return [
    '## Fields of KubeProxyConfiguration',
    '',
    '| Field | Type | Fate | What it does, or why it does nothing |',
    '|---|---|---|---|',
    ...rows,
    '',
  ];
}

function flagLines(program: ForeignSetting['program']): readonly string[] {
  const theirs = foreignSettings.filter((setting) => setting.program === program && setting.flag !== undefined);
  const listed = new Set(theirs.map(({ flag }) => flag));
  const same = flags
    .flatMap(({ name, aliases, origin }) => (origin.includes(program) ? [name, ...(aliases ?? [])] : []))
    .filter((name) => !listed.has(name))
    .map((name) => row([`\`--${name}\``, 'honoured', sameFlag]));
  const rows = theirs.map((setting) => {
    const { flag, short, meaning } = setting;
    const names = `\`--${flag ?? ''}\`${short === undefined ? '' : `, \`-${short}\``}`;
    const isSame = meaning.kind === 'honoured' && meaning.flag === flag;
    return row([names, fate(meaning), isSame ? sameFlag : explanation(setting)]);
  });
  return [
    `## Flags of ${program}`,
    '',
    '| Flag | Fate | What it does, or why it does nothing |',
    '|---|---|---|',
    ...[...same, ...rows].toSorted(),
    '',
  ];
}

function fate({ kind }: Meaning): string {
  return kind === 'honoured' ? kind : `**${kind}**`;
}

function explanation({ meaning }: ForeignSetting): string {
  switch (meaning.kind) {
    case 'honoured':
      return `\`--${meaning.flag}\`${meaning.note === '' ? '' : `: ${meaning.note}`}.`;
    case 'ignored': {
      const exception = meaning.exception === undefined ? '' : ` ${meaning.exception.text}`;
      return `${capital(meaning.why)}.${exception}${harmlessText(meaning.harmless)}`;
    }
    case 'refused':
      return `${capital(meaning.why)}. ${meaning.remedy}.${harmlessText(meaning.harmless)}`;
  }
}

const sameFlag = 'As [flags.md](flags.md) says.';

function harmlessText(harmless: readonly string[]): string {
  return harmless.length === 0 ? '' : ` Fine: ${harmless.map((value) => `\`${value}\``).join(', ')}.`;
}

function whereItCounts({ countsIn }: ForeignSetting): string {
  return countsIn === undefined ? '' : ` Counts in ${countsIn === 'nftables' ? 'mode nftables' : countsIn}.`;
}

function capital(text: string): string {
  return text.startsWith('sluice') || text.startsWith('kube-') ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
}
