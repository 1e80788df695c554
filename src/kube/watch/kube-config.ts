/** Kubeconfig files and service accounts, through the Kubernetes client's own reader. */

import { existsSync, readFileSync } from 'node:fs';
import type https from 'node:https';
import { dirname, resolve } from 'node:path';

// Not the whole package: it is large, and an agent that starts waits for it.
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { Cluster } from '@kubernetes/client-node/dist/config_types.js';
import { parse } from 'yaml';

import { isJsonObject, readList, readName, readObject } from '../project/json.ts';
import type { ClientConfig, ConfigReader, ConfigReaderOptions } from './credentials.ts';

export function createConfigReader(options: ConfigReaderOptions): ConfigReader {
  let loaded: Loaded | undefined;
  return {
    read: () => {
      const text = options.kubeConfig === undefined ? '' : readFileSync(options.kubeConfig, 'utf8');
      if (loaded?.text !== text) {
        loaded = load(options, text);
      }
      return clientConfigOf(loaded);
    },
    forget: () => {
      loaded = undefined;
    },
  };
}

interface Loaded {
  /** Of the kubeconfig file. */
  readonly text: string;
  readonly config: KubeConfig;
  readonly url: URL;
  /** Holds the bearer token; the service account's is replaced about every hour. */
  readonly tokenFile: string | undefined;
}

const serviceAccountToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';

function load(options: ConfigReaderOptions, text: string): Loaded {
  const config = new KubeConfig();
  let tokenFile: string | undefined;
  if (options.kubeConfig !== undefined) {
    const directory = dirname(resolve(options.kubeConfig));
    config.loadFromString(text);
    config.makePathsAbsolute(directory);
    tokenFile = tokenFileOf(text, config.getCurrentUser()?.name, directory);
  } else if (existsSync(serviceAccountToken)) {
    config.loadFromCluster();
    tokenFile = serviceAccountToken;
  } else if (options.master === undefined) {
    throw new Error(`expected a kubeconfig, or the token of a ServiceAccount in ${serviceAccountToken}, found neither`);
  } else {
    config.loadFromClusterAndUser({ name: 'master', server: options.master, skipTLSVerify: false }, { name: 'nobody' });
  }
  const url = useServer(config, options.master);
  return { text, config, url, tokenFile };
}

/** Puts the address into the cluster entry. Returns it. */
function useServer(config: KubeConfig, master: string | undefined): URL {
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new Error('the kubeconfig has no cluster for its current context');
  }
  const url = new URL(master ?? cluster.server);
  const changed: Cluster = {
    ...cluster,
    server: url.href,
    // The client refuses plain HTTP without this; there is nothing to verify then.
    skipTLSVerify: cluster.skipTLSVerify || url.protocol === 'http:',
  };
  config.clusters = config.clusters.map((each) => (each.name === cluster.name ? changed : each));
  return url;
}

/** `tokenFile` of a user, which the client does not read. kubeadm's kube-proxy kubeconfig is made so. */
function tokenFileOf(text: string, userName: string | undefined, directory: string): string | undefined {
  const users = readList(readObject(parse(text), 'kubeconfig')['users'], 'users');
  const entry = users.filter(isJsonObject).find((each) => each['name'] === userName);
  const file = readName(readObject(entry?.['user'], 'user')['tokenFile'], 'user.tokenFile');
  return file === undefined ? undefined : resolve(directory, file);
}

async function clientConfigOf({ config, url, tokenFile }: Loaded): Promise<ClientConfig> {
  const options: https.RequestOptions = { headers: {} };
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, rejectUnauthorized, servername } = options;
  const present = Object.entries({ ca, cert, key, rejectUnauthorized, servername }).filter(
    ([, value]) => value !== undefined,
  );
  const hasProxy = config.getCurrentCluster()?.proxyUrl !== undefined;
  return {
    url,
    headers: headersOf(options, tokenFile),
    agentOptions: Object.fromEntries(present),
    proxyAgent: hasProxy && typeof options.agent === 'object' ? options.agent : undefined,
  };
}

function headersOf(options: https.RequestOptions, tokenFile: string | undefined): Readonly<Record<string, string>> {
  const headers: Record<string, string> = { Accept: 'application/json', 'User-Agent': 'sluice' };
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (typeof value === 'string') {
      headers[name] = value;
    }
  }
  if (tokenFile !== undefined) {
    headers['Authorization'] = `Bearer ${readFileSync(tokenFile, 'utf8').trim()}`;
  } else if (typeof options.auth === 'string') {
    headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  return headers;
}
