/** What a configuration asks of the manifest that installs it. */

import { dirname } from 'node:path';
import type { ManifestInput } from '../core/manifest/input.ts';
import type { ExampleFlag } from '../core/manifest/notes.ts';
import type { Config, ConfigKey } from './config/config.ts';
import type { Flag } from './config/flag.ts';
import { flags } from './config/flags.ts';
import type { Configuration, FlagValues } from './config/parse-config.ts';
import { type ConfigProblem, quote } from './config/problem.ts';

/** Where the objects go and what runs. */
export interface ManifestPlace {
  readonly image: string;
  readonly namespace: string;
}

export interface ManifestPlan {
  readonly input: ManifestInput;
  /** What the manifest needs and was not given. */
  readonly examples: readonly ExampleFlag[];
  /** What a configuration file says that cannot stand in a manifest for all nodes; clauses for people. */
  readonly omissions: readonly string[];
}

/** What a configuration file says becomes flags: the pods do not have the file. */
export function planManifest({ config, given }: Configuration, place: ManifestPlace): ManifestPlan {
  const examples = neededFlags.filter(({ isNeeded }) => isNeeded(config, given));
  const agentFlags = flags.flatMap((flag) => {
    const example = examples.find(({ key }) => key === flag.key);
    const isTaken = given.has(flag.key) && flag.key !== 'configFile' && refusals[flag.key] === undefined;
    return example?.argument ?? (isTaken ? argumentOf(flag, config) : []);
  });
  const omissions = flags.flatMap((flag) => {
    const { expected, given: found } = (given.has(flag.key) ? refusals[flag.key] : undefined) ?? {};
    return expected === undefined ? [] : [`${argumentOf(flag, config)}: expected ${expected}, given ${found}`];
  });
  return {
    input: {
      ...place,
      agentFlags,
      preparationFlags: flags
        .filter(({ key }) => given.has(key) && preparationKeys.has(key))
        .map((flag) => argumentOf(flag, config)),
      healthz: config.healthzBindAddress,
      directReturn: config.directReturn
        ? { runtime: runtimeFolder(config), records: dirname(config.podRecords) }
        : undefined,
      stateFolder: config.lastKnownState === undefined ? undefined : dirname(config.lastKnownState),
    },
    examples,
    omissions,
  };
}

/** What cannot stand in a manifest for all nodes, in the order of the table; `others` is what is left to read. */
export function sortManifestFlags(values: FlagValues): {
  readonly problems: readonly ConfigProblem[];
  readonly others: FlagValues;
} {
  const problems = flags.flatMap(({ key, name }) => {
    const refusal = values.has(name) ? refusals[key] : undefined;
    return refusal === undefined ? [] : [{ flag: `--${name}`, ...refusal }];
  });
  const refused = new Set(flags.filter(({ key }) => refusals[key] !== undefined).map(({ name }) => name));
  return { problems, others: new Map([...values].filter(([name]) => !refused.has(name))) };
}

/** Paths whose folders cannot be mounted. */
export function manifestPathProblems(config: Config): readonly ConfigProblem[] {
  return mountedPaths.flatMap((key) => {
    const path = config[key];
    if (path === undefined || (path.startsWith('/') && dirname(path) !== '/')) {
      return [];
    }
    const flag = `--${flags.find((each) => each.key === key)?.name}`;
    const remedy = 'Write it like /var/lib/sluice/state.json';
    return [{ flag, expected: 'an absolute path, in a folder of its own', given: quote(path), remedy }];
  });
}

type Refusal = Omit<ConfigProblem, 'flag'>;

const oneRun: Refusal = {
  expected: 'flags of an agent that goes on running',
  given: 'what is done once',
  remedy: 'Leave it out, and run it on the node instead',
};

const refusals: Partial<Readonly<Record<ConfigKey, Refusal>>> = {
  kubeconfig: {
    expected: 'the ServiceAccount of the manifest',
    given: 'a file, which the pods do not have',
    remedy: 'Leave it out, and name the API server with --master',
  },
  manifests: {
    expected: 'an API server',
    given: 'a folder, which the pods do not have',
    remedy: 'Leave it out, and name the API server with --master',
  },
  hostnameOverride: {
    expected: 'a name of its own for every node',
    given: 'one name for all',
    remedy: 'Leave it out: the manifest takes the name from the Node object',
  },
  hostRoot: {
    expected: 'the folders of the node at their own paths',
    given: 'another root',
    remedy: 'Leave it out: the manifest mounts them where they are',
  },
  cleanup: oneRun,
  cleanupOf: oneRun,
  initOnly: { ...oneRun, remedy: 'Leave it out: the manifest has a container for it' },
};

interface NeededFlag extends ExampleFlag {
  readonly key: ConfigKey;
  readonly isNeeded: (config: Config, given: Configuration['given']) => boolean;
}

const neededFlags: readonly NeededFlag[] = [
  {
    key: 'master',
    argument: '--master=https://192.0.2.10:6443',
    what: 'the API server by an address that works without a service proxy, not by its ClusterIP',
    isNeeded: (_, given) => !given.has('master'),
  },
  {
    key: 'clusterCIDRs',
    argument: '--cluster-cidr=10.244.0.0/16',
    what: 'where pods have their addresses; both families with a comma',
    isNeeded: ({ detectLocalMode }, given) => !given.has('clusterCIDRs') && detectLocalMode === 'ClusterCIDR',
  },
];

function argumentOf({ name, isSwitch, show }: Flag, config: Config): string {
  const text = show(config);
  return isSwitch && text === 'true' ? `--${name}` : `--${name}=${text}`;
}

/** What `--init-only` reads. */
const preparationKeys: ReadonlySet<ConfigKey> = new Set<ConfigKey>([
  ...flags.filter(({ group }) => group === 'Settings of the host').map(({ key }) => key),
  'ipvsScheduler',
  'directReturn',
  'logLevel',
  'logFormat',
]);

/** containerd's unless told otherwise. */
function runtimeFolder({ runtimeEndpoint }: Config): string {
  return runtimeEndpoint === undefined ? '/run/containerd' : dirname(runtimeEndpoint);
}

/** Paths whose folders are mounted. */
const mountedPaths = ['lastKnownState', 'runtimeEndpoint', 'podRecords'] as const;
/** The flags that may stand in a manifest, in the order of the table; `isPreparation`: they count before the agent runs too. */
export const manifestFlags: readonly { readonly flag: Flag; readonly isPreparation: boolean }[] = flags
  .filter(({ key }) => refusals[key] === undefined && key !== 'configFile')
  .map((flag) => ({ flag, isPreparation: preparationKeys.has(flag.key) }));
