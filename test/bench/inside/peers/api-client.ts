import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { ApiObject } from '../objects.ts';

export interface ApiClient {
  create(path: string, object: ApiObject): Promise<void>;
  /** A merge patch (RFC 7386). */
  patch(path: string, change: ApiObject): Promise<void>;
  remove(path: string): Promise<void>;
  close(): void;
}

/** Writes through the API server over one connection that stays open. */
export async function openApi(kubeconfig: string): Promise<ApiClient> {
  const { server, token } = await readKubeconfig(kubeconfig);
  // The address of the kubeconfig is there only while a node is.
  const { port } = new URL(server);
  // The API server signs its own certificate.
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  const send = async (method: string, path: string, type: string, body: string): Promise<void> => {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': type,
      'content-length': Buffer.byteLength(body),
    };
    const sent = request(`https://127.0.0.1:${port}${path}`, { method, agent, headers });
    sent.end(body);
    // The event of this name has this argument (node:http).
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) {
      text += String(chunk);
    }
    if (Math.floor((response.statusCode ?? 0) / 100) !== 2) {
      throw new Error(`expected the API server to accept ${method} ${path}, found ${response.statusCode}: ${text}`);
    }
  };
  return {
    create: (path, object) => send('POST', path, 'application/json', JSON.stringify(object)),
    patch: (path, change) => send('PATCH', path, 'application/merge-patch+json', JSON.stringify(change)),
    remove: (path) => send('DELETE', path, 'application/json', ''),
    close: () => agent.destroy(),
  };
}

async function readKubeconfig(path: string): Promise<{ readonly server: string; readonly token: string }> {
  // What test/lab/kubernetes/files.ts writes.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { clusters, users } = JSON.parse(await readFile(path, 'utf8')) as {
    readonly clusters: readonly { readonly cluster: { readonly server: string } }[];
    readonly users: readonly { readonly user: { readonly token: string } }[];
  };
  return { server: clusters[0]?.cluster.server ?? '', token: users[0]?.user.token ?? '' };
}
