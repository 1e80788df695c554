/** How pods are told from other sources: by what the configuration says and the Node object has. */

import { type CIDR, parseCIDR } from '../core/address.ts';
import { type Family, families, type NodeFact } from '../core/model/facts.ts';
import type { Config } from './config/config.ts';

export type PodDetection =
  | { readonly by: 'cidrs'; readonly cidrs: readonly CIDR[] }
  /** The podCIDRs of our Node, which come and change while the agent runs. */
  | { readonly by: 'node' }
  /** `pattern` as nft has it: `cni0`, or `cali*`. */
  | { readonly by: 'interface'; readonly pattern: string };

export function podDetectionOf(config: Config): PodDetection {
  switch (config.detectLocalMode) {
    case 'ClusterCIDR':
      return { by: 'cidrs', cidrs: config.clusterCIDRs };
    case 'NodeCIDR':
      return { by: 'node' };
    case 'BridgeInterface':
      return { by: 'interface', pattern: config.podBridgeInterface ?? '' };
    case 'InterfaceNamePrefix':
      return { by: 'interface', pattern: `${config.podInterfaceNamePrefix ?? ''}*` };
  }
}

export interface DetectedPods {
  readonly detectsLocal: Readonly<Record<Family, boolean>>;
  readonly podSources: readonly CIDR[];
}

export function detectPods(detection: PodDetection, node: NodeFact | undefined): DetectedPods {
  if (detection.by === 'interface') {
    return { detectsLocal: { IPv4: true, IPv6: true }, podSources: [] };
  }
  const podSources =
    detection.by === 'cidrs'
      ? detection.cidrs
      : (node?.podCIDRs ?? []).map(parseCIDR).filter((cidr) => cidr !== undefined);
  const [IPv4, IPv6] = families.map((family) => podSources.some((cidr) => cidr.family === family));
  return { detectsLocal: { IPv4: IPv4 === true, IPv6: IPv6 === true }, podSources };
}
