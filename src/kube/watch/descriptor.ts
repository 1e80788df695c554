/** What is asked of the API server for each kind. */

import type { ObjectKind } from '../../core/model/facts.ts';
import { projectEndpointSlice } from '../project/endpoint-slice.ts';
import { headlessLabel } from '../project/metadata.ts';
import { projectNode } from '../project/node.ts';
import type { Project } from '../project/projection.ts';
import { projectService, proxyNameLabel } from '../project/service.ts';
import { projectServiceCIDR } from '../project/service-cidr.ts';

export interface Descriptor {
  readonly kind: ObjectKind;
  readonly path: string;
  /** Selectors. All Nodes: a VIP that is the address of another Node would cut that Node off. */
  readonly query: Readonly<Record<string, string>>;
  readonly project: Project;
  /** An API server that lacks the kind, or refuses it, is taken to have no such objects. */
  readonly isOptional?: boolean;
}

/**
 * A selector cannot say "without the label or with one of these values": with own proxy names the Services are sorted
 * out here. A selector on `spec.clusterIP` is not used either; older servers refuse it.
 */
export function descriptors(ownProxyNames: readonly string[]): readonly Descriptor[] {
  const serviceLabels = ownProxyNames.length === 0 ? [proxyNameLabel, headlessLabel] : [headlessLabel];
  return [
    {
      kind: 'Service',
      path: '/api/v1/services',
      query: { labelSelector: serviceLabels.map((label) => `!${label}`).join(',') },
      project: projectService,
    },
    {
      kind: 'EndpointSlice',
      path: '/apis/discovery.k8s.io/v1/endpointslices',
      query: { labelSelector: `!${headlessLabel}` },
      project: projectEndpointSlice,
    },
    {
      kind: 'Node',
      path: '/api/v1/nodes',
      query: {},
      project: projectNode,
    },
    {
      // Since Kubernetes 1.33; before, and without the permission, the flag --service-cluster-ip-range has to do.
      kind: 'ServiceCIDR',
      path: '/apis/networking.k8s.io/v1/servicecidrs',
      query: {},
      project: projectServiceCIDR,
      isOptional: true,
    },
  ];
}

/** The path with its query; parameters that are undefined are left out. */
export function pathOf(descriptor: Descriptor, parameters: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams(descriptor.query);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) {
      query.set(name, value);
    }
  }
  return `${descriptor.path}?${query.toString()}`;
}
