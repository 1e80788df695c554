import type { Config } from './config.ts';
import type { ConfigDraft } from './flag.ts';
import { flags } from './flags.ts';
import { makeConfig } from './make-config.ts';
import type { ConfigProblem } from './problem.ts';

export type ParsedConfig =
  | { readonly ok: true; readonly config: Config }
  /** Everything that is wrong, in the order of the table. */
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Makes the configuration out of what was given for each flag, by the flag's own name. */
export function parseConfig(values: ReadonlyMap<string, readonly string[]>): ParsedConfig {
  const draft: ConfigDraft = {};
  const problems: ConfigProblem[] = [];
  for (const flag of flags) {
    const texts = values.get(flag.name);
    const problem = texts === undefined ? undefined : flag.read(texts, draft);
    if (problem !== undefined) {
      problems.push(problem);
    }
  }
  const config = makeConfig(draft);
  problems.push(...contradictions(config));
  return problems.length === 0 ? { ok: true, config } : { ok: false, problems };
}

/** Flags that are right each by itself, but not together. */
function contradictions(config: Config): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if ((config.fwmarkMask & config.masqueradeMark) >>> 0 !== 0) {
    problems.push({
      flag: '--fwmark-mask',
      expected: 'a mask without the masquerade mark',
      given: `0x${config.fwmarkMask.toString(16)}, which contains 0x${config.masqueradeMark.toString(16)}`,
      remedy: 'Take that bit out of --fwmark-mask, or choose another --masquerade-mark',
    });
  }
  const api = config.kubeconfig === undefined ? config.master : config.kubeconfig;
  if (config.manifests !== undefined && api !== undefined) {
    problems.push({
      flag: '--manifests',
      expected: 'one source of Services',
      given: `a folder and also ${config.kubeconfig === undefined ? '--master' : '--kubeconfig'}`,
      remedy: 'Leave out --manifests, or --kubeconfig and --master',
    });
  }
  return problems;
}
