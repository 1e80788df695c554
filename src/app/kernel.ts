/** Opens the kernel interfaces that the configuration asks for. The only file that names the adapters. */

import { hostname, release } from 'node:os';
import type { SchedulerSupport } from '../core/model/context.ts';
import type { PodTunnelState } from '../core/model/pod-tunnel.ts';
import type { PlanRules } from '../core/plan.ts';
import type { Steps } from '../core/steps.ts';
import { openConntrack } from '../kernel/conntrack/open-conntrack.ts';
import { isKernelError } from '../kernel/error.ts';
import type { KernelPorts } from '../kernel/executor.ts';
import { openIpvs } from '../kernel/ipvs/open-ipvs.ts';
import { availableSchedulers } from '../kernel/ipvs/scheduler-probe.ts';
import { openLink } from '../kernel/link/open-link.ts';
import { openFilter } from '../kernel/nft/open-filter.ts';
import type { ConntrackPort, FilterPort, FilterSkeleton, IpvsPort, LinkPort } from '../kernel/ports.ts';
import { addressRulesOf } from './address-rules.ts';
import type { Config } from './config/config.ts';
import type { ContextSettings, NodeReading } from './context.ts';
import { moduleAdvice } from './host/module-advice.ts';
import { podDetectionOf } from './pod-detection.ts';

/** Throws an Error that says what to do when the kernel lacks an interface or the process may not use it. */
export function openKernel(config: Config): KernelPorts {
  return {
    ipvs: openIpvsAdvised(),
    link: advised(
      'rtnetlink',
      () => 'use a Linux kernel with networking',
      () => openLink({ interfaceName: config.vipInterface, mode: config.vipMode, steeringMark: config.fwmarkMask }),
    ),
    filter: openFilterAdvised(),
  };
}

/** Throws like `openKernel`. */
export function openIpvsAdvised(): IpvsPort {
  return advised(
    'IPVS',
    () => moduleAdvice('ip_vs'),
    () => openIpvs(),
  );
}

/** Throws like `openKernel`. */
export function openFilterAdvised(): FilterPort {
  return advised(
    'nftables',
    () => moduleAdvice('nf_tables'),
    () => openFilter(),
  );
}

/** Connection tracking stands apart: nothing that is programmed depends on it. Throws like `openKernel`. */
export function openFlows(): ConntrackPort {
  return advised(
    'nfnetlink',
    () => moduleAdvice('nfnetlink'),
    () => openConntrack(),
  );
}

/** Opens one interface; `remedy` is what helps when the kernel does not have it. */
function advised<T>(what: string, remedy: () => string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (!isKernelError(error)) {
      throw error;
    }
    const next =
      error.code === 'EPERM' || error.code === 'EACCES'
        ? 'run as root, or with the capability NET_ADMIN in the initial user namespace'
        : remedy();
    const found = `Linux ${release()} on ${hostname()} says ${error.message}`;
    throw new Error(`expected a kernel with ${what} that this process may use, found: ${found}; ${next}`, {
      cause: error,
    });
  }
}

export function closeKernel(ports: KernelPorts): void {
  ports.ipvs.close();
  ports.link.close();
  ports.filter.close();
}

export function readNode({ link }: KernelPorts): NodeReading {
  return { addresses: link.nodeAddresses(), defaultSources: defaultSourcesOf(link) };
}

/** The same in steps, for the first time: between them nothing else may be read in steps. */
export function* readNodeSteps({ link }: KernelPorts): Steps<NodeReading> {
  const addresses = yield* link.readNodeAddresses();
  yield;
  return { addresses, defaultSources: defaultSourcesOf(link) };
}

function defaultSourcesOf(link: LinkPort): NodeReading['defaultSources'] {
  return { IPv4: link.defaultSource('IPv4'), IPv6: link.defaultSource('IPv6') };
}

export function schedulerSupport(config: Config): SchedulerSupport {
  return { defaultScheduler: config.ipvsScheduler, available: availableSchedulers() };
}

/** `podTunnels` is asked where direct return is switched on. */
export function contextSettings(
  config: Config,
  nodeName: string,
  schedulers: SchedulerSupport,
  podTunnels: () => ReadonlyMap<string, PodTunnelState> = () => noTunnels,
): ContextSettings {
  return {
    nodeName,
    bindAddress: config.bindAddress,
    nodePortAddresses: config.nodePortAddresses,
    reservedPorts: reservedPorts(config),
    masqueradeAll: config.masqueradeAll,
    podDetection: podDetectionOf(config),
    serviceCIDRs: config.serviceClusterIPRanges,
    addressRules: addressRulesOf(config),
    schedulers,
    podTunnels: config.directReturn ? podTunnels : undefined,
  };
}

const noTunnels: ReadonlyMap<string, PodTunnelState> = new Map();

function reservedPorts(config: Config): ReadonlyMap<number, string> {
  const ports = new Map<number, string>();
  const { healthAddr: address, healthPort: port } = config;
  for (const [bind, name] of [
    [port === 0 ? undefined : { address, port }, 'the health server (--health-port)'],
    [config.metricsBindAddress, 'the metrics server (--metrics-bind-address)'],
    [config.healthzBindAddress, 'the health server (--healthz-bind-address)'],
  ] as const) {
    if (bind !== undefined) {
      ports.set(bind.port, name);
    }
  }
  return ports;
}

export function planRules(config: Config, nodeName: string): Omit<PlanRules, 'quarantined'> {
  return { nodeName, vipMode: config.vipMode, excludedCIDRs: config.excludedCIDRs };
}

export function filterSkeleton(config: Config): FilterSkeleton {
  const detection = podDetectionOf(config);
  return {
    podInterface: detection.by === 'interface' ? detection.pattern : undefined,
    masqueradeMark: config.masqueradeMark,
    fwmarkMask: config.fwmarkMask,
  };
}
