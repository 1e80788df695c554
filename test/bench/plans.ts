/** What is measured in a full run, in a quick one and in `npm test`. */

import type { ActsPlan } from './inside/acts.ts';
import type { Plan } from './plan.ts';
import type { Size } from './result.ts';

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

export const fullPlan: Plan = {
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
  udp: [1_000, 10_000],
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

export const quickPlan: Plan = {
  cold: [size(200), size(200, 'IPv6')],
  restart: [size(200)],
  change: [size(20), size(200)],
  memory: [size(200)],
  large: { sizes: [], rounds: 1 },
  pauses: [size(200)],
  acts: { acts: everyAct, repetitions: 10, idleSeconds: 2, churnSeconds: 2 },
  traffic: [size(200)],
  trafficActs: { acts: longActs, repetitions: 0, idleSeconds: 2, churnSeconds: 2 },
  filter: [size(200)],
  udp: [200],
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

export const guardPlan: Plan = {
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
  udp: [],
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
