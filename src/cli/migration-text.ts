import type { MigrationPlan, ProxyPlan } from '../app/migrate/migrate.ts';
import type { Styles } from './styles.ts';

/** What `sluice migrate plan` prints. Ends with a newline. */
export function migrationText({ outstanding, agent, proxies }: MigrationPlan, styles: Styles): string {
  const sluice = [
    styles.bold('sluice'),
    `  agent: ${agent ?? 'none works in this network namespace'}`,
    `  in the kernel: ${outstanding === 0 ? styles.green('in sync') : `${outstanding} operations outstanding, start sluice run first`}`,
  ];
  const sections = [sluice, ...proxies.map((plan) => proxyLines(plan, styles))];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function proxyLines({ proxy, running, adopted, remove, keep }: ProxyPlan, styles: Styles): readonly string[] {
  const state = running.state === 'stopped' ? running.state : styles.yellow(running.state);
  return [
    styles.bold(proxy),
    `  ${state}: ${running.how}`,
    ...(remove.length === 0
      ? ['  nothing to remove']
      : [
          `  virtual servers that are sluice’s now: ${adopted}`,
          ...remove.map((what) => `  ${styles.red('-')} ${what}`),
        ]),
    ...keep.map(({ what, why }) => `  ${styles.dim('·')} ${what}: ${why}`),
  ];
}
