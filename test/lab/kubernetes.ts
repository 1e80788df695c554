import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Family } from '../../src/core/model/facts.ts';
import { kubernetesBinaries } from '../prerequisites/kubernetes.ts';
import { execute, output } from './execute.ts';
import { type ControlPlaneFiles, writeControlPlaneFiles, writeKubeconfig } from './kubernetes/files.ts';
import { type Server, startServer } from './kubernetes/server.ts';

/** An etcd and a kube-apiserver in the root namespace of the lab. */
export interface Kubernetes {
  /** A kubeconfig of a `system:masters` user that reaches the API server from everywhere in the lab. */
  readonly adminKubeconfig: string;
  /** The certificate that it serves with, and the key that ServiceAccount tokens are signed with: a controller's. */
  readonly certificate: string;
  readonly serviceAccountKey: string;
  /** Runs kubectl as the administrator; throws with what it said when it fails. */
  readonly kubectl: (args: readonly string[], input?: string) => Promise<string>;
  /** `kubectl apply -f -` with objects of any kind. */
  readonly apply: (...objects: readonly object[]) => Promise<void>;
  /** A kubeconfig with a new token of a ServiceAccount, which must exist. Its rights are those RBAC gives it. */
  readonly serviceAccountKubeconfig: (namespace: string, name: string) => Promise<string>;
  /** Ends the API server: asked politely, or by SIGKILL. etcd goes on. */
  readonly stopApiServer: (signal?: 'SIGTERM' | 'SIGKILL') => Promise<void>;
  /** SIGSTOP freezes the API server with its connections open, SIGCONT lets it go on. */
  readonly signalApiServer: (signal: 'SIGSTOP' | 'SIGCONT') => void;
  /** Starts it again with the same data and waits until it is ready. */
  readonly startApiServer: () => Promise<void>;
  /** Ends everything and removes the files. */
  readonly remove: () => Promise<void>;
}

/** How the control plane is reached. */
export interface KubernetesOptions {
  /** The address that the kubeconfigs name: one of the root namespace's. 127.0.0.1 unless told. */
  readonly address?: string;
  /** Pods get the token of their ServiceAccount, which a controller manager must make. Without it they need none. */
  readonly hasServiceAccounts?: boolean;
  /** Of Services, the primary one first, which must be that of the address. IPv4 and IPv6 unless told. */
  readonly families?: readonly Family[];
}

/** The ranges of ClusterIPs. */
export const serviceCIDRs = { IPv4: '10.96.0.0/16', IPv6: 'fd00:96::/112' } as const;

const port = 6443;
/** Under user-mode Linux a start takes about ten seconds, more when the machine is busy. */
const startLimitMs = 240_000;

/** Starts etcd and kube-apiserver with RBAC, and waits until the API server is ready. */
export async function startKubernetes(options: KubernetesOptions = {}): Promise<Kubernetes> {
  const { address = '127.0.0.1' } = options;
  const binaries = kubernetesBinaries();
  const folder = await mkdtemp(join(tmpdir(), 'kubernetes-'));
  const files = await writeControlPlaneFiles(folder, address, port);
  const etcd = startServer(etcdCommand(binaries.etcd, folder));
  let apiServer: Server | undefined;
  const startApiServer = async () => {
    apiServer = startServer(apiServerCommand(binaries['kube-apiserver'], files, { ...options, address }));
    await apiServer.ready(() => isReady(files), startLimitMs);
  };
  const kubectl = (args: readonly string[], input?: string) =>
    output('-', [binaries.kubectl, `--kubeconfig=${files.adminKubeconfig}`, ...args], input);
  const kubernetes: Kubernetes = {
    adminKubeconfig: files.adminKubeconfig,
    certificate: join(files.certificateFolder, 'apiserver.crt'),
    serviceAccountKey: files.serviceAccountKey,
    kubectl,
    apply: async (...objects) => {
      await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
    },
    serviceAccountKubeconfig: async (namespace, name) => {
      const token = await kubectl(['create', 'token', name, `--namespace=${namespace}`, '--duration=24h']);
      return writeKubeconfig(files, `${namespace}-${name}`, token.trim());
    },
    stopApiServer: async (signal = 'SIGTERM') => apiServer?.end(signal),
    signalApiServer: (signal) => apiServer?.signal(signal),
    startApiServer,
    remove: async () => {
      await apiServer?.end('SIGKILL');
      await etcd.end('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await startApiServer();
  } catch (error) {
    await kubernetes.remove();
    throw error;
  }
  return kubernetes;
}

function etcdCommand(etcd: string, folder: string): readonly string[] {
  const client = 'http://127.0.0.1:2379';
  const peer = 'http://127.0.0.1:2380';
  return [
    etcd,
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
    '--log-level=error',
  ];
}

function apiServerCommand(
  apiServer: string,
  files: ControlPlaneFiles,
  {
    address,
    hasServiceAccounts = false,
    families = ['IPv4', 'IPv6'],
  }: KubernetesOptions & { readonly address: string },
): readonly string[] {
  return [
    apiServer,
    '--etcd-servers=http://127.0.0.1:2379',
    `--service-cluster-ip-range=${families.map((family) => serviceCIDRs[family]).join(',')}`,
    `--secure-port=${port}`,
    // "::" listens to both families.
    `--bind-address=${families[0] === 'IPv6' ? '::' : '0.0.0.0'}`,
    `--advertise-address=${address === '127.0.0.1' ? '192.0.2.1' : address}`,
    `--cert-dir=${files.certificateFolder}`,
    '--authorization-mode=RBAC',
    `--token-auth-file=${files.tokens}`,
    ...(hasServiceAccounts ? [] : ['--disable-admission-plugins=ServiceAccount']),
    `--service-account-key-file=${files.serviceAccountKey}`,
    `--service-account-signing-key-file=${files.serviceAccountKey}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    // A DaemonSet that asks for NET_ADMIN is to be accepted as in a cluster that permits it.
    '--allow-privileged=true',
    // A node's name is known to nobody but the kubelet.
    '--kubelet-preferred-address-types=InternalIP',
    // The set-up of priority and fairness takes long under user-mode Linux and limits what a single test sends.
    '--enable-priority-and-fairness=false',
  ];
}

async function isReady(files: ControlPlaneFiles): Promise<boolean> {
  const request = [
    '--silent',
    '--insecure',
    '--max-time',
    '2',
    '--header',
    `Authorization: Bearer ${files.adminToken}`,
  ];
  const { stdout } = await execute('-', ['curl', ...request, `https://127.0.0.1:${port}/readyz`]);
  return stdout === 'ok';
}
