import type { Preview, PreviewChange, ServicePreview } from '../app/preview.ts';
import { isAudited, type Refusal } from '../core/model/reason.ts';
import type { Styles } from './styles.ts';

/** What `sluice plan` prints. Ends with a newline. */
export function planText(preview: Preview, styles: Styles): string {
  const sections = [
    ...preview.services.map((service) => serviceLines(service, styles)),
    ...foreignLines(preview.foreign, styles),
    [summary(preview, styles)],
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function serviceLines({ service, changes, refusals }: ServicePreview, styles: Styles): readonly string[] {
  const width = Math.max(0, ...changes.map(({ what }) => what.length));
  return [
    styles.bold(service === '' ? 'no Service' : service),
    ...changes.map((change) => changeLine(change, width, styles)),
    ...refusals.map((refusal) => refusalLine(refusal, styles)),
  ];
}

function changeLine({ verb, what, detail = '' }: PreviewChange, width: number, styles: Styles): string {
  const sign = signOf(verb, styles);
  return `  ${sign} ${detail === '' ? what : `${what.padEnd(width)}  ${styles.dim(detail)}`}`;
}

function signOf(verb: PreviewChange['verb'], styles: Styles): string {
  switch (verb) {
    case 'add':
      return styles.green('+');
    case 'change':
      return styles.yellow('~');
    case 'remove':
      return styles.red('-');
  }
}

function refusalLine({ reason, subject, found, expected }: Refusal, styles: Styles): string {
  const sign = isAudited(reason) ? styles.yellow('?') : styles.red('!');
  return `  ${sign} ${subject}: ${styles.yellow(reason)}, found ${found}, expected ${expected}`;
}

function foreignLines(foreign: readonly string[], styles: Styles): readonly (readonly string[])[] {
  return foreign.length === 0
    ? []
    : [[styles.bold('not sluice’s, left alone'), ...foreign.map((key) => `  ${styles.dim('·')} ${key}`)]];
}

function summary({ services, foreign, counts }: Preview, styles: Styles): string {
  const changes = services.flatMap((service) => service.changes);
  const count = (verb: PreviewChange['verb']): number => changes.filter((change) => change.verb === verb).length;
  const reasons = services.flatMap(({ refusals }) => refusals.map(({ reason }) => reason));
  const audited = reasons.filter(isAudited).length;
  const refused = reasons.length - audited;
  const programmed =
    counts.operations === 0
      ? styles.green('in sync')
      : `${count('add')} to add, ${count('change')} to change, ${count('remove')} to remove`;
  const notes = [
    refused > 0 ? `${refused} refused` : '',
    audited > 0 ? `${audited} programmed but reported` : '',
    foreign.length > 0 ? `${foreign.length} of others left alone` : '',
  ].filter((note) => note !== '');
  return [`${counts.services} ${counts.services === 1 ? 'Service' : 'Services'}: ${programmed}`, ...notes].join(', ');
}
