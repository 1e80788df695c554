import { parseArgs } from 'node:util';
import type { ActsPlan } from './inside/acts.ts';
import type { Size } from './result.ts';

/** Which measures, in which sizes. Travels into the lab as one JSON argument. */
export interface Plan {
  readonly cold: readonly Size[];
  readonly restart: readonly Size[];
  readonly change: readonly Size[];
  readonly memory: readonly Size[];
  /** More Services than a cluster usually has: cold start and restart, of the shipped agent too. */
  readonly large: LargePlan;
  /** The shipped agent through all acts; with the plan of these. */
  readonly pauses: readonly Size[];
  readonly acts: ActsPlan;
  /** What clients notice of the acts. */
  readonly traffic: readonly Size[];
  readonly trafficActs: ActsPlan;
  readonly filter: readonly Size[];
  /** Measured side by side. */
  readonly latency: readonly Size[];
  readonly directReturn: DirectReturnPlan;
  readonly peers: PeersPlan;
  /** Repetitions of everything that starts a process. */
  readonly rounds: number;
  /** Changes per protocol and size. */
  readonly changes: number;
  /** New connections per size. */
  readonly connections: number;
}

export interface LargePlan {
  readonly sizes: readonly Size[];
  /** Each takes minutes: at most so many. */
  readonly rounds: number;
}

/** The same endpoint with and without direct server return. */
export interface DirectReturnPlan {
  /** Of a download; 0: nothing is measured. */
  readonly megabytes: number;
  readonly rounds: number;
  /** New connections to either. */
  readonly connections: number;
}

/** Other proxies beside sluice, against a real API server. */
export interface PeersPlan {
  readonly sizes: readonly Size[];
  /** Endpoint changes for each proxy and size, an even number; Services added and removed again. */
  readonly changes: number;
  readonly services: number;
  /** At the largest size; 0: idling is not measured. */
  readonly idleSeconds: number;
  /** A proxy that has not programmed everything by then is given up. */
  readonly startLimitMs: number;
  readonly changeLimitMs: number;
  /** After so long no more changes are begun. */
  readonly changesLimitMs: number;
  /** After so long no other proxy is begun with. */
  readonly totalLimitMs: number;
}

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
  /** Which limits hold; undefined: none, the numbers say nothing. */
  readonly limits: 'full' | 'guard' | undefined;
}

export const usage = `npm run bench -- [--quick | --guard] [--peers]
                 [--only cold,restart,change,memory,pauses,traffic,filter,latency,direct-return,large,peers] [--services N,N]
                 [--no-acts] [--kernel user-mode|tcg] [--rounds N] [--json FILE] [--svg FILE] [--profile FOLDER]

  --quick      small sizes, one round: shows that everything works, not how fast it is
  --guard      the part that npm test runs: ratios that a busy machine does not change
  --peers      also kube-proxy (ipvs and nftables) and kube-router, against a real API server
  --services   how many Services to measure with, the peers too; not latency, direct-return and large
  --no-acts    pauses: the shipped agent starts and restarts and does nothing else
  --only       the measures to take, those named above
  --kernel tcg Debian's own kernel under QEMU: ratios like those of hardware (default measures: cold, restart)
  --rounds N   repetitions of what starts a process (default 5; quick: 1)
  --json FILE  where the numbers are written, as soon as there are more
  --svg FILE   where diagrams of them are drawn
  --profile FOLDER  takes a CPU profile of every process and says where the time went; the other numbers suffer, no limit
                    holds`;

/** Throws TypeError when an argument is wrong. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      guard: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      services: { type: 'string' },
      'no-acts': { type: 'boolean', default: false },
      only: { type: 'string' },
      kernel: { type: 'string', default: 'user-mode' },
      rounds: { type: 'string' },
      json: { type: 'string' },
      svg: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  const base = values.guard ? guardPlan : values.quick ? quickPlan : fullPlan;
  const plan = withServices(base, values.services);
  const kernel = readKernel(values.kernel);
  const only = values.only ?? [...defaultMeasures[kernel], ...(values.peers ? ['peers'] : [])].join(',');
  const rounds = values.rounds === undefined ? plan.rounds : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new TypeError(`--rounds: expected a whole number from 1, found ${values.rounds}`);
  }
  const { json, svg, profile } = values;
  const large = { ...plan.large, rounds: Math.min(rounds, plan.large.rounds) };
  return {
    plan: restrict({ ...plan, rounds, large, acts: values['no-acts'] ? { ...plan.acts, acts: [] } : plan.acts }, only),
    kernel,
    json,
    svg,
    profile,
    limits: profile === undefined ? limitsOf(values, kernel) : undefined,
  };
}

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

function withServices(plan: Plan, list: string | undefined): Plan {
  if (list === undefined) {
    return plan;
  }
  const numbers = list.split(',').map(Number);
  if (
    !numbers.every((number, index) => Number.isInteger(number) && number >= 2 && number > (numbers[index - 1] ?? 0))
  ) {
    throw new TypeError(`--services: expected growing whole numbers from 2, found ${JSON.stringify(list)}`);
  }
  const sizes = numbers.map((number) => size(number));
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

const everyAct: ActsPlan['acts'] = [
  'idle',
  'endpoint change',
  'Service added',
  'Service removed',
  'rolling update',
  '1,000 changes/s',
];

/** Those in which there is time for many connections. */
const longActs: ActsPlan['acts'] = ['idle', 'rolling update', '1,000 changes/s'];

const fullPlan: Plan = {
  cold: [size(100), size(1_000), size(10_000), many(1_000, 1), many(1_000, 100), size(1_000, 'IPv6')],
  restart: [size(10_000), size(1_000, 'IPv6')],
  change: [size(100), size(10_000)],
  memory: [size(1_000), size(10_000)],
  large: { sizes: [many(50_000, 2)], rounds: 2 },
  pauses: [size(100), size(10_000)],
  acts: { acts: everyAct, repetitions: 100, idleSeconds: 60, churnSeconds: 60 },
  traffic: [size(10_000)],
  trafficActs: { acts: longActs, repetitions: 0, idleSeconds: 10, churnSeconds: 20 },
  filter: [size(10_000)],
  latency: [many(10, 1), many(10_000, 1)],
  directReturn: { megabytes: 100, rounds: 3, connections: 2_000 },
  peers: {
    sizes: [size(100), size(1_000), size(10_000)],
    changes: 10,
    services: 2,
    idleSeconds: 30,
    startLimitMs: 200_000,
    changeLimitMs: 30_000,
    changesLimitMs: 45_000,
    totalLimitMs: 1_200_000,
  },
  rounds: 5,
  changes: 2_000,
  connections: 3_000,
};

const quickPlan: Plan = {
  cold: [size(200), size(200, 'IPv6')],
  restart: [size(200)],
  change: [size(20), size(200)],
  memory: [size(200)],
  large: { sizes: [], rounds: 1 },
  pauses: [size(20), size(200)],
  acts: { acts: everyAct, repetitions: 20, idleSeconds: 5, churnSeconds: 2 },
  traffic: [size(200)],
  trafficActs: { acts: longActs, repetitions: 0, idleSeconds: 2, churnSeconds: 2 },
  filter: [size(200)],
  latency: [many(10, 1), many(200, 1)],
  directReturn: { megabytes: 5, rounds: 1, connections: 100 },
  peers: {
    sizes: [size(100)],
    changes: 4,
    services: 1,
    idleSeconds: 0,
    startLimitMs: 60_000,
    changeLimitMs: 20_000,
    changesLimitMs: 60_000,
    totalLimitMs: 1_200_000,
  },
  rounds: 1,
  changes: 200,
  connections: 200,
};

const guardPlan: Plan = {
  cold: [size(500)],
  restart: [size(500)],
  change: [size(50), size(500)],
  memory: [],
  large: quickPlan.large,
  pauses: [],
  acts: quickPlan.acts,
  traffic: [],
  trafficActs: quickPlan.trafficActs,
  filter: [],
  latency: [],
  directReturn: { megabytes: 0, rounds: 0, connections: 0 },
  peers: { ...quickPlan.peers, sizes: [] },
  rounds: 2,
  changes: 200,
  connections: 0,
};

function size(services: number, family: Size['family'] = 'IPv4'): Size {
  return { services, endpoints: 10, family };
}

function many(services: number, endpoints: number): Size {
  return { services, endpoints, family: 'IPv4' };
}
