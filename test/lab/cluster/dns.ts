import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { corednsProgram } from '../../prerequisites/coredns.ts';
import { type Server, startServer } from '../kubernetes/server.ts';
import type { Kubernetes } from '../kubernetes.ts';
import { rootAddresses } from '../world/places.ts';

/** The ClusterIP of the Service `kube-dns`, which pods ask. */
export const dnsAddress = '10.96.0.10';
/** What the names of Services end with. */
export const clusterDomain = 'cluster.local';

/** CoreDNS as a process of the root namespace, and a Service without a selector that leads to it. */
export async function startDns(
  kubernetes: Kubernetes,
): Promise<{ readonly server: Server; readonly remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'coredns-'));
  const file = join(folder, 'Corefile');
  await writeFile(file, corefile(kubernetes));
  const server = startServer([corednsProgram(), '-conf', file]);
  // Without validation: kubectl would ask for the schema of everything, which a busy API server makes in a minute.
  const list = { apiVersion: 'v1', kind: 'List', items: [service, slice] };
  await kubernetes.kubectl(['create', '--validate=false', '--filename=-'], JSON.stringify(list));
  return {
    server,
    remove: async () => {
      await server.end('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function corefile({ adminKubeconfig }: Kubernetes): string {
  return `.:53 {
  bind ${rootAddresses.IPv4}
  errors
  kubernetes ${clusterDomain} {
    kubeconfig ${adminKubeconfig}
  }
}
`;
}

const ports = [
  { name: 'dns', protocol: 'UDP', port: 53 },
  { name: 'dns-tcp', protocol: 'TCP', port: 53 },
];

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'kube-dns', namespace: 'kube-system' },
  spec: { clusterIP: dnsAddress, ports },
};

const slice = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: 'kube-dns',
    namespace: 'kube-system',
    labels: { 'kubernetes.io/service-name': 'kube-dns' },
  },
  addressType: 'IPv4',
  endpoints: [{ addresses: [rootAddresses.IPv4] }],
  ports,
};
