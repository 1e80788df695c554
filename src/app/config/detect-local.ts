/** Flags about the detection of pods that do not go together. */

import type { Config } from './config.ts';
import type { ConfigProblem } from './problem.ts';

/** A mode without the name it needs, and a name that no mode asks for: nobody would notice that it does nothing. */
export function detectLocalProblems(config: Config): readonly ConfigProblem[] {
  return [
    ...interfaceProblems(config, 'BridgeInterface', '--pod-bridge-interface', config.podBridgeInterface),
    ...interfaceProblems(config, 'InterfaceNamePrefix', '--pod-interface-name-prefix', config.podInterfaceNamePrefix),
  ];
}

function interfaceProblems(
  { detectLocalMode }: Config,
  mode: Config['detectLocalMode'],
  flag: string,
  name: string | undefined,
): readonly ConfigProblem[] {
  if (detectLocalMode === mode && name === undefined) {
    const expected = `the name that --detect-local-mode=${mode} needs`;
    return [{ flag, expected, given: 'nothing', remedy: `Give ${flag}=NAME, or choose another mode` }];
  }
  if (detectLocalMode !== mode && name !== undefined) {
    const expected = `--detect-local-mode=${mode} beside it`;
    const remedy = `Give --detect-local-mode=${mode}, or leave ${flag} out`;
    return [{ flag, expected, given: `--detect-local-mode=${detectLocalMode}`, remedy }];
  }
  return [];
}
