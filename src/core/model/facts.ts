/**
 * Facts: what the API says, reduced to the fields that matter and checked for shape.
 * Every string address in a fact is canonical (see `address.ts`).
 */

export type Family = 'IPv4' | 'IPv6';

/** Both families, in the order in which they are listed everywhere. */
export const families: readonly Family[] = ['IPv4', 'IPv6'];

export type Protocol = 'TCP' | 'UDP' | 'SCTP';

export type TrafficPolicy = 'Cluster' | 'Local';

export interface ServicePortFact {
  /** '' for an unnamed port. Endpoints join by name and protocol, never by number. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
  /** 0 when the Service has none. */
  readonly nodePort: number;
}

export interface ServiceFact {
  /** `namespace/name`. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  /** Of the API object, for Events; '' without an API server. */
  readonly uid: string;
  /** Unix milliseconds; decides who owns a frontend that two Services claim. */
  readonly createdAt: number;
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer';
  /** At most one of each family. */
  readonly clusterIPs: readonly string[];
  readonly externalIPs: readonly string[];
  /** `status.loadBalancer.ingress[].ip` with ipMode VIP or none. */
  readonly loadBalancerIPs: readonly string[];
  readonly loadBalancerSourceRanges: readonly string[];
  readonly ports: readonly ServicePortFact[];
  readonly externalTrafficPolicy: TrafficPolicy;
  readonly internalTrafficPolicy: TrafficPolicy;
  /** Undefined without session affinity. Seconds, 1 to 86400. */
  readonly affinityTimeoutSeconds: number | undefined;
  /** 0 when the Service has none. */
  readonly healthCheckNodePort: number;
  /** Only `kube-router.io/*` and `sluice.dev/*`, as written. */
  readonly annotations: Readonly<Record<string, string>>;
}

export interface EndpointFact {
  readonly address: string;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly nodeName: string | undefined;
  /** Undefined when the endpoint carries no zone hints; likewise for nodes. */
  readonly zoneHints: readonly string[] | undefined;
  readonly nodeHints: readonly string[] | undefined;
  /** The name of the pod behind it; `namespace/name` where that is another namespace than the slice's. */
  readonly target: string | undefined;
}

export interface EndpointPortFact {
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
}

export interface EndpointSliceFact {
  /** `namespace/name` of the slice. */
  readonly key: string;
  /** `namespace/name` of the Service it belongs to. */
  readonly service: string;
  readonly family: Family;
  /** Of every endpoint in it, 0 to 65535; 1 unless annotated. Only weighted schedulers look at it. */
  readonly weight: number;
  readonly ports: readonly EndpointPortFact[];
  /** When the change that this version of the slice tells of was made (`endpoints.kubernetes.io/last-change-trigger-time`). Unix milliseconds. */
  readonly triggeredAt: number | undefined;
  readonly endpoints: readonly EndpointFact[];
}

/** A Node of the cluster, ours or another. */
export interface NodeFact {
  readonly name: string;
  /** From `topology.kubernetes.io/zone`; '' when missing. */
  readonly zone: string;
  /** First InternalIP, else ExternalIP, then the first of the other family: at most one of each family. */
  readonly addresses: readonly string[];
  /** Every InternalIP and ExternalIP. */
  readonly allAddresses: readonly string[];
  readonly podCIDRs: readonly string[];
  /** No deletion timestamp and no `ToBeDeletedByClusterAutoscaler` taint. */
  readonly eligible: boolean;
}

/** Addresses out of which the API server gives Services theirs. */
export interface ServiceCIDRFact {
  /** The object's name. */
  readonly key: string;
  readonly cidrs: readonly string[];
}

export type ObjectFact =
  | { readonly kind: 'Service'; readonly fact: ServiceFact }
  | { readonly kind: 'EndpointSlice'; readonly fact: EndpointSliceFact }
  | { readonly kind: 'Node'; readonly fact: NodeFact }
  | { readonly kind: 'ServiceCIDR'; readonly fact: ServiceCIDRFact };

export type ObjectKind = ObjectFact['kind'];

/** Every kind, in the order in which a source tells of them. */
export const objectKinds: readonly ObjectKind[] = ['Node', 'ServiceCIDR', 'Service', 'EndpointSlice'];

/** One thing a source has to say. `key` is `namespace/name`, for a Node its name. */
export type FactChange =
  | ({ readonly change: 'set' } & ObjectFact)
  /** Gone from the API, or no longer of concern (headless, ExternalName, another proxy's). */
  | { readonly change: 'delete'; readonly kind: ObjectKind; readonly key: string }
  | FirstListEnd
  /** All objects of this kind that the source knows; whatever is not among them is gone. */
  | { readonly change: 'replace'; readonly kind: ObjectKind; readonly facts: readonly ObjectFact[] };

/**
 * The first list of a source is complete. Each object of it was told of with `set` before; whatever else of this kind is
 * known, from an attempt that broke off or from elsewhere, is gone.
 */
export interface FirstListEnd {
  readonly change: 'complete';
  readonly kind: ObjectKind;
  /** So many objects. */
  readonly count: number;
  /** By key. Where this is looked at later, what came after the list may be in it, and may have left it. */
  readonly list: ReadonlyMap<string, ObjectFact>;
}
