import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the control plane is started with. */
export interface ControlPlaneFiles {
  readonly folder: string;
  readonly server: string;
  /** kube-apiserver makes its own certificate here. */
  readonly certificateFolder: string;
  readonly tokens: string;
  readonly serviceAccountKey: string;
  readonly adminToken: string;
  readonly adminKubeconfig: string;
}

/** Writes the key of the ServiceAccount tokens, the administrator's token and kubeconfig. */
export async function writeControlPlaneFiles(
  folder: string,
  address: string,
  port: number,
): Promise<ControlPlaneFiles> {
  const adminToken = randomBytes(16).toString('hex');
  const files: ControlPlaneFiles = {
    folder,
    server: `https://${address.includes(':') ? `[${address}]` : address}:${port}`,
    certificateFolder: join(folder, 'certificates'),
    tokens: join(folder, 'tokens.csv'),
    serviceAccountKey: join(folder, 'service-account.key'),
    adminToken,
    adminKubeconfig: join(folder, 'admin.kubeconfig'),
  };
  await mkdir(files.certificateFolder);
  await writeFile(files.tokens, `${adminToken},admin,admin,"system:masters"\n`);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(files.serviceAccountKey, privateKey.export({ type: 'sec1', format: 'pem' }));
  await writeKubeconfig(files, 'admin', adminToken);
  return files;
}

/** Writes `NAME.kubeconfig` with a bearer token and returns its path. */
export async function writeKubeconfig(
  files: Pick<ControlPlaneFiles, 'folder' | 'server'>,
  name: string,
  token: string,
): Promise<string> {
  const path = join(files.folder, `${name}.kubeconfig`);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    // The API server signs its own certificate at each first start.
    clusters: [{ name: 'lab', cluster: { server: files.server, 'insecure-skip-tls-verify': true } }],
    users: [{ name, user: { token } }],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: name } }],
    'current-context': 'lab',
  };
  await writeFile(path, JSON.stringify(config, null, 2));
  return path;
}
