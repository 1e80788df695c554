import type { Family } from '../../../../src/core/model/facts.ts';
import { startKubernetes } from '../../../lab/kubernetes.ts';
import type { Size } from '../../result.ts';
import { type ApiObject, serviceObject, sliceObject } from '../objects.ts';
import { namespace, nodeAddresses, nodeName, serviceName } from '../world.ts';
import { type ApiClient, openApi } from './api-client.ts';
import { store } from './etcd.ts';
import { apiAddresses } from './node.ts';
import { firstService, storedServices, withoutVersion } from './stored-objects.ts';

/** A real API server with so many Services as were asked for last. */
export interface Cluster {
  readonly kubeconfig: string;
  /** Adds Services up to that size. */
  grow(size: Size): Promise<void>;
  /** The Service keeps only its first `endpoints` endpoints. */
  setEndpoints(size: Size, service: number, endpoints: number): Promise<void>;
  /** The slice of a Service first: what remains for a proxy to see is one event. */
  createSlice(size: Size, service: number): Promise<void>;
  createService(size: Size, service: number): Promise<void>;
  removeService(service: number): Promise<void>;
  /** Takes back what was not taken back. */
  restore(size: Size): Promise<void>;
  remove(): Promise<void>;
}

const services = `/api/v1/namespaces/${namespace}/services`;
const slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;

/** Of one family alone. */
export async function startCluster(family: Family): Promise<Cluster> {
  const kubernetes = await startKubernetes({ address: apiAddresses[family], families: [family] });
  const api = await openApi(kubernetes.adminKubeconfig);
  await createBasics(api, nodeOf(family));
  const changed = new Set<number>();
  const created = new Set<string>();
  const setEndpoints = (size: Size, service: number, endpoints: number) => {
    changed.add(service);
    const slice = sliceObject(size, service, endpoints, 1);
    return api.patch(`${slices}/${serviceName(service)}-slice`, { endpoints: slice['endpoints'] });
  };
  const create = async (collection: string, name: string, object: ApiObject) => {
    await api.create(collection, withoutVersion(object));
    created.add(`${collection}/${name}`);
  };
  const remove = async (path: string) => {
    created.delete(path);
    await api.remove(path);
  };
  let end = firstService;
  return {
    kubeconfig: kubernetes.adminKubeconfig,
    grow: async (size) => {
      const wanted = firstService + size.services;
      await store(storedServices(size, end, wanted));
      end = wanted;
    },
    setEndpoints,
    createSlice: (size, service) =>
      create(slices, `${serviceName(service)}-slice`, sliceObject(size, service, size.endpoints, 1)),
    createService: (size, service) => create(services, serviceName(service), serviceObject(size, service)),
    removeService: (service) => remove(`${services}/${serviceName(service)}`),
    restore: async (size) => {
      for (const service of changed) {
        await setEndpoints(size, service, size.endpoints);
      }
      changed.clear();
      for (const path of created) {
        await remove(path);
      }
    },
    remove: async () => {
      api.close();
      await kubernetes.remove();
    },
  };
}

async function createBasics(api: ApiClient, node: ApiObject): Promise<void> {
  await api.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await api.create('/api/v1/nodes', node);
  await api.patch(`/api/v1/nodes/${nodeName}/status`, { status: node['status'] });
}

function nodeOf(family: Family): ApiObject {
  const podCIDR = podCIDRs[family];
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: nodeName, labels: { 'kubernetes.io/hostname': nodeName } },
    spec: { podCIDR, podCIDRs: [podCIDR] },
    status: { addresses: [{ type: 'InternalIP', address: nodeAddresses[family] }] },
  };
}

const podCIDRs = { IPv4: '10.128.0.0/24', IPv6: 'fd00:128::/64' } as const;
