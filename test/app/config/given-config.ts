import { flags } from '../../../src/app/config/flags.ts';
import { foreignFlags } from '../../../src/app/config/foreign/flags.ts';
import { type ConfigWarning, warningsOf } from '../../../src/app/config/notice.ts';
import { type Configuration, parseConfig } from '../../../src/app/config/parse-config.ts';
import { formatProblem } from '../../../src/app/config/problem.ts';
import { readArguments } from '../../../src/app/config/read-arguments.ts';

export interface GivenConfig {
  readonly configuration: Configuration | undefined;
  readonly problems: readonly string[];
  readonly warnings: readonly ConfigWarning[];
}

export const filePath = '/etc/kube-proxy.conf';

/** What is read out of flags, and of the text of a file that is given by --config. */
export function givenConfig(argv: readonly string[], text?: string): GivenConfig {
  const read = readArguments(text === undefined ? argv : [`--config=${filePath}`, ...argv], [
    ...flags,
    ...foreignFlags,
  ]);
  const parsed = parseConfig(read.values, () => text ?? '');
  return {
    configuration: parsed.ok ? parsed : undefined,
    problems: [...read.problems, ...(parsed.ok ? [] : parsed.problems)].map(formatProblem),
    warnings: warningsOf(parsed.notices),
  };
}

/** A file with these fields, beginning in line 3. */
export function fileWith(fields: string): string {
  return `apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n${fields}\n`;
}
