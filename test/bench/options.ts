import { parseArgs } from 'node:util';
import type { Family } from '../../src/core/model/facts.ts';
import type { Plan } from './plan.ts';
import { fullPlan, guardPlan, quickPlan } from './plans.ts';
import type { Size } from './result.ts';

/** user-mode: the test kernel. tcg: Debian's own kernel on a processor that QEMU emulates. */
export type BenchKernel = 'user-mode' | 'tcg';

export interface Options {
  readonly plan: Plan;
  readonly kernel: BenchKernel;
  /** Where the JSON goes; undefined: a file in the temporary folder. */
  readonly json: string | undefined;
  /** Where diagrams go; undefined: none are drawn. */
  readonly svg: string | undefined;
  /** Folder for CPU profiles of every process; undefined: none are taken. */
  readonly profile: string | undefined;
  /** Options of Node.js for every process that is measured. */
  readonly node: readonly string[];
  /** The Node.js that runs every process; undefined: the image's. */
  readonly nodeProgram: string | undefined;
  /** Which limits hold; undefined: none, the numbers say nothing. */
  readonly limits: 'full' | 'guard' | undefined;
}

export const usage = `npm run bench -- [--quick | --guard] [--peers]
                 [--only cold,restart,change,memory,pauses,traffic,filter,udp,latency,direct-return,large,peers] [--services N,N]
                 [--endpoints N] [--family IPv4|IPv6] [--no-acts] [--kernel user-mode|tcg] [--rounds N] [--json FILE] [--svg FILE] [--profile FOLDER]
                 [--node OPTION]… [--node-program PATH]

  --quick      small sizes, one round: shows that everything works, not how fast it is
  --guard      the part that npm test runs: ratios that a busy machine does not change
  --peers      also kube-proxy (ipvs and nftables) and kube-router, against a real API server
  --services   how many Services to measure with, the peers too; not udp, latency, direct-return and large
  --endpoints  of each Service that --services names (default 10)
  --family     of the Services that --services names (default IPv4)
  --no-acts    pauses: the shipped agent starts and restarts and does nothing else
  --only       the measures to take, those named above
  --kernel tcg Debian's own kernel under QEMU: ratios like those of hardware (default measures: cold, restart)
  --rounds N   repetitions of what starts a process (default 5; quick: 1)
  --json FILE  where the numbers are written, as soon as there are more
  --svg FILE   where diagrams of them are drawn
  --profile FOLDER  takes a CPU profile of every process and says where the time went; the other numbers suffer, no limit
                    holds
  --node OPTION  given to every Node.js that is measured, as --node=--single-threaded-gc: what it is good for; no limit holds
  --node-program PATH  the Node.js to measure with, as --node-program="$(which node)": the image's unless told; no limit holds`;

/** Throws TypeError when an argument is wrong. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      guard: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      services: { type: 'string' },
      endpoints: { type: 'string' },
      family: { type: 'string', default: 'IPv4' },
      'no-acts': { type: 'boolean', default: false },
      only: { type: 'string' },
      kernel: { type: 'string', default: 'user-mode' },
      rounds: { type: 'string' },
      json: { type: 'string' },
      svg: { type: 'string' },
      profile: { type: 'string' },
      node: { type: 'string', multiple: true, default: [] },
      'node-program': { type: 'string' },
    },
  });
  const base = values.guard ? guardPlan : values.quick ? quickPlan : fullPlan;
  const plan = withServices(base, values.services, readEach(values));
  const kernel = readKernel(values.kernel);
  const only = values.only ?? [...defaultMeasures[kernel], ...(values.peers ? ['peers'] : [])].join(',');
  const rounds = values.rounds === undefined ? plan.rounds : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new TypeError(`--rounds: expected a whole number from 1, found ${values.rounds}`);
  }
  const { json, svg, profile, node, 'node-program': nodeProgram } = values;
  const large = { ...plan.large, rounds: Math.min(rounds, plan.large.rounds) };
  return {
    plan: restrict({ ...plan, rounds, large, acts: values['no-acts'] ? { ...plan.acts, acts: [] } : plan.acts }, only),
    kernel,
    json,
    svg,
    profile,
    node: values.guard ? [...guardNode, ...node] : node,
    nodeProgram,
    limits: isAsShipped(values) ? limitsOf(values, kernel) : undefined,
  };
}

function isAsShipped(values: {
  readonly profile?: string | undefined;
  readonly node: readonly string[];
  readonly 'node-program'?: string | undefined;
}): boolean {
  return values.profile === undefined && values['node-program'] === undefined && values.node.length === 0;
}

/**
 * At the guard's size V8's middle compiler makes the IPVS part take twice as long: it fills pages that nobody touched before, which
 * are dear in the test kernel (docs/performance.md, "The guard").
 */
const guardNode = ['--no-maglev'];

function limitsOf(
  { quick, guard }: { readonly quick: boolean; readonly guard: boolean },
  kernel: BenchKernel,
): Options['limits'] {
  if (quick || kernel === 'tcg') {
    return undefined;
  }
  return guard ? 'guard' : 'full';
}

const measures = [
  'cold',
  'restart',
  'change',
  'memory',
  'pauses',
  'traffic',
  'filter',
  'udp',
  'latency',
  'direct-return',
  'large',
  'peers',
] as const;

const defaultMeasures = { 'user-mode': measures.slice(0, -1), tcg: ['cold', 'restart'] } as const;

function readKernel(word: string): BenchKernel {
  if (word === 'user-mode' || word === 'tcg') {
    return word;
  }
  throw new TypeError(`--kernel: expected user-mode or tcg, found ${JSON.stringify(word)}`);
}

function readFamily(word: string): Family {
  if (word === 'IPv4' || word === 'IPv6') {
    return word;
  }
  throw new TypeError(`--family: expected IPv4 or IPv6, found ${JSON.stringify(word)}`);
}

/** What the Services have that --services names. */
function readEach(values: {
  readonly services?: string | undefined;
  readonly endpoints?: string | undefined;
  readonly family: string;
}): Pick<Size, 'endpoints' | 'family'> {
  const family = readFamily(values.family);
  if (values.endpoints === undefined) {
    return { endpoints: 10, family };
  }
  if (values.services === undefined) {
    throw new TypeError('--endpoints: expected --services beside it, found none');
  }
  const endpoints = Number(values.endpoints);
  if (!Number.isInteger(endpoints) || endpoints < 1) {
    throw new TypeError(`--endpoints: expected a whole number from 1, found ${JSON.stringify(values.endpoints)}`);
  }
  return { endpoints, family };
}

function withServices(plan: Plan, list: string | undefined, each: Pick<Size, 'endpoints' | 'family'>): Plan {
  if (list === undefined) {
    return plan;
  }
  const numbers = list.split(',').map(Number);
  if (
    !numbers.every((number, index) => Number.isInteger(number) && number >= 2 && number > (numbers[index - 1] ?? 0))
  ) {
    throw new TypeError(`--services: expected growing whole numbers from 2, found ${JSON.stringify(list)}`);
  }
  const sizes = numbers.map((services) => ({ services, ...each }));
  const every = {
    cold: sizes,
    restart: sizes,
    change: sizes,
    memory: sizes,
    pauses: sizes,
    traffic: sizes,
    filter: sizes,
  };
  return { ...plan, ...every, peers: { ...plan.peers, sizes } };
}

function restrict(plan: Plan, only: string): Plan {
  const wanted = only.split(',');
  const unknown = wanted.find((name) => !measures.some((measure) => measure === name));
  if (unknown !== undefined) {
    throw new TypeError(`--only: expected some of ${measures.join(', ')}, found ${JSON.stringify(unknown)}`);
  }
  const none = Object.fromEntries(measures.filter((name) => !wanted.includes(name)).map((name) => [name, []]));
  const directReturn = wanted.includes('direct-return') ? plan.directReturn : { ...plan.directReturn, megabytes: 0 };
  return {
    ...plan,
    ...none,
    directReturn,
    large: wanted.includes('large') ? plan.large : { ...plan.large, sizes: [] },
    peers: wanted.includes('peers') ? plan.peers : { ...plan.peers, sizes: [] },
  };
}
