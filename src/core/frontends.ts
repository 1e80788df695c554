/**
 * The resources of one frontend (address, protocol, port) by what kind of frontend it is.
 *
 * A frontend whose external policy is Local has two views: the plain virtual server with the local endpoints for
 * clients outside, and a fwmark virtual server with the cluster's endpoints for clients inside. IPVS looks for a
 * fwmark virtual server first (ip_vs_service_find in net/netfilter/ipvs/ip_vs_ctl.c).
 */

import { addressBits } from './address.ts';
import { directView } from './direct-return.ts';
import type { Backend } from './endpoints.ts';
import { exactList } from './exact-list.ts';
import { filterElementKey, virtualServerKey } from './keys.ts';
import type { CompileContext } from './model/context.ts';
import type { FilterElement, FrontendSet } from './model/filter-element.ts';
import type { DesiredVirtualServer, Frontend, Resource } from './model/resource.ts';
import type { Destination, VirtualServerIdentity } from './model/virtual-server.ts';
import type { ExternalPlace, Place, PortView } from './port-view.ts';
import { allowedSourcesOf } from './source-ranges.ts';

/** The ClusterIP: one view. Sources that are no pods are masqueraded when pods can be told from them. */
export function internalFrontend(place: Place, view: PortView, context: CompileContext): Frontend {
  const { selection } = view;
  const backends = view.internalLocal ? selection.local : selection.cluster;
  const resources = baseResources(place, view, backends, context);
  if (view.internalLocal && backends.length === 0 && selection.hasAny) {
    resources.push(frontendElement('drop', place, view));
  }
  if (context.masqueradeAll) {
    resources.push(frontendElement('masquerade', place, view));
  } else if (context.detectsLocal[view.family]) {
    resources.push(frontendElement('masquerade_outside', place, view));
  }
  return frontendOf(resources);
}

/** externalIP, load-balancer IP or node port. `mark` is the inside view's, where the policy asks for one. */
export function externalFrontend(
  place: ExternalPlace,
  view: PortView,
  context: CompileContext,
  mark: number | undefined,
): Frontend {
  const { selection } = view;
  const backends = view.externalLocal ? selection.local : selection.cluster;
  const resources = baseResources(place, view, backends, context);
  if (!view.externalLocal) {
    resources.push(frontendElement('masquerade', place, view));
  } else {
    if (backends.length === 0 && selection.hasAny) {
      resources.push(frontendElement('drop_outside', place, view));
    }
    if (mark !== undefined) {
      resources.push(...insideView(place, view, context, mark));
    }
  }
  if (view.directReturn !== undefined && isVip(place, context)) {
    resources.push(...directView(place, view, view.directReturn, context));
  }
  if (place.isLoadBalancerIP && view.allowedSources !== undefined) {
    resources.push(frontendElement('restricted', place, view));
    const ranges = allowedSourcesOf(place.address, view.allowedSources, context.sources[view.family]);
    const { address, port } = place;
    const key = { set: 'allowed_sources', address, protocol: view.protocol, port } as const;
    resources.push(...ranges.map((range) => element({ ...key, range })));
  }
  return frontendOf(resources);
}

/** Its key is that of its virtual server, and one text for both. */
function frontendOf(resources: BaseResources): Frontend {
  return { key: resources[0].key, resources: exactList(resources) };
}

type BaseResources = [virtualServer: Resource, ...others: Resource[]];

/** The virtual server with its record of ownership, the VIP if the address is one, the hairpin of local endpoints. */
function baseResources(
  place: Place,
  view: PortView,
  backends: readonly Backend[],
  context: CompileContext,
): BaseResources {
  const { address, port } = place;
  const identity: VirtualServerIdentity = { kind: 'address', protocol: view.protocol, address, port };
  const resources: BaseResources = [
    virtualServer(identity, view, backends),
    element({
      set: 'virtual_servers',
      address,
      protocol: view.protocol,
      port,
      comment: view.origin,
    }),
  ];
  if (isVip(place, context)) {
    const source = context.sources[view.family];
    resources.push({ kind: 'vip', key: `vip ${address}`, value: { address, source } });
    resources.push(element({ set: 'vips', address }));
  }
  resources.push(...hairpins(backends));
  return resources;
}

/** An address of the node is neither bound nor guarded. */
function isVip({ address }: Place, { nodeAddresses }: CompileContext): boolean {
  return !nodeAddresses.has(address);
}

/**
 * A pod of another node asks that node for a VIP, but may ask us for a node port, and then may be sent to itself: there
 * every endpoint has its hairpin.
 */
function insideView(place: Place, view: PortView, context: CompileContext, mark: number): readonly Resource[] {
  const identity: VirtualServerIdentity = { kind: 'fwmark', family: view.family, mark };
  const backends = view.selection.cluster;
  return [
    virtualServer(identity, { ...view, ...view.inside }, backends),
    element({ set: 'fwmarks', family: view.family, mark, comment: view.origin }),
    element({ set: 'inside_view', address: place.address, protocol: view.protocol, port: place.port, mark }),
    ...(context.nodeAddresses.has(place.address) ? backends.map(hairpin) : hairpins(backends)),
  ];
}

function virtualServer(identity: VirtualServerIdentity, view: PortView, backends: readonly Backend[]): Resource {
  const destinations = backends.map(
    ({ address, port, weight }): Destination => ({ address, port, weight, forwarding: 'masquerade' }),
  );
  const value: DesiredVirtualServer = {
    server: {
      identity,
      scheduler: view.scheduler,
      flags: view.flags,
      timeoutSeconds: view.timeoutSeconds,
      prefixLength: addressBits(view.family),
    },
    destinations,
    protocol: view.protocol,
    service: view.service,
    origin: view.origin,
  };
  return { kind: 'virtual-server', key: virtualServerKey(identity), value };
}

/** A pod that is sent to itself would answer its own address past the node; masquerade brings the answer back. */
function hairpins(backends: readonly Backend[]): readonly Resource[] {
  return backends.filter((backend) => backend.isLocal).map(hairpin);
}

function hairpin({ address }: Backend): Resource {
  return element({ set: 'hairpin', address });
}

function frontendElement(set: FrontendSet, place: Place, view: PortView): Resource {
  return element({ set, address: place.address, protocol: view.protocol, port: place.port });
}

function element(value: FilterElement): Resource {
  return { kind: 'element', key: filterElementKey(value), value };
}
