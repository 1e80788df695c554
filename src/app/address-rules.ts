/** Which addresses Services may be reached at, from the configuration. */

import { readFileSync } from 'node:fs';
import { parseAddress } from '../core/address.ts';
import type { AddressRules } from '../core/model/context.ts';
import type { Config } from './config/config.ts';

export function addressRulesOf(config: Config): AddressRules {
  return {
    apiServers: apiServersOf(config.master === undefined ? serversOf(config.kubeconfig) : [config.master]),
    podCIDRs: config.clusterCIDRs,
    excludedCIDRs: config.excludedCIDRs,
    externalIPRanges: config.externalIPRanges,
    loadBalancerIPRanges: config.loadBalancerIPRanges,
    isStrict: config.strictExternalIPs,
  };
}

/** Ports by address of the URLs that name an address; what a host name stands for is not asked. */
function apiServersOf(urls: readonly string[]): ReadonlyMap<string, ReadonlySet<number>> {
  const servers = new Map<string, Set<number>>();
  for (const { hostname, port, protocol } of urls.filter((url) => URL.canParse(url)).map((url) => new URL(url))) {
    const address = parseAddress(hostname.replace(/^\[|\]$/g, ''));
    if (address !== undefined) {
      const usual = protocol === 'http:' ? 80 : 443;
      const ports = servers.get(address) ?? new Set();
      servers.set(address, ports.add(port === '' ? usual : Number(port)));
    }
  }
  return servers;
}

/**
 * Every server that a kubeconfig names, be it YAML or JSON. Without the file there is none: the client says what is
 * wrong with it when it connects.
 */
function serversOf(kubeconfig: string | undefined): readonly string[] {
  if (kubeconfig === undefined) {
    return [];
  }
  try {
    const text = readFileSync(kubeconfig, 'utf8');
    return [...text.matchAll(/["']?\bserver["']?\s*:\s*["']?(https?:\/\/[^\s"',}]+)/g)].map(([, url]) => url ?? '');
  } catch {
    return [];
  }
}
