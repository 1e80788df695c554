import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Writes a kubeconfig for an API server without authentication and returns its path. */
export async function writeKubeconfig(url: string): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'sluice-bench-')), 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'bench', cluster: { server: url } }],
    users: [{ name: 'bench', user: {} }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    'current-context': 'bench',
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}
