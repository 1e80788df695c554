/** Who we are to the API server, read again before each request: a token file or certificate may have been replaced. */

import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export interface Access {
  /** Of the API server. */
  readonly url: URL;
  readonly agent: http.Agent;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Credentials {
  /** Rejects when a file is missing or says nothing usable. */
  read(): Promise<Access>;
  /** Nothing kept from before is used for the next `read`, not even what a login program gave. */
  forget(): void;
  /** Closes the connections of every agent handed out. */
  close(): void;
}

export interface ConfigReaderOptions {
  /** Path of a kubeconfig file; undefined: the service account of the pod. */
  readonly kubeConfig: string | undefined;
  /** URL of the API server, whatever the kubeconfig says. */
  readonly master: string | undefined;
}

/** Connections of their own, with what a reader says who we are. */
export function openCredentials(reader: ConfigReader): Credentials {
  const agents = createAgents();
  return {
    read: async () => {
      const { url, headers, agentOptions, proxyAgent } = await reader.read();
      return { url, headers, agent: proxyAgent ?? agents.agentFor(url, agentOptions) };
    },
    forget: () => reader.forget(),
    close: () => agents.close(),
  };
}

/** For all who talk to the API server: what it has read is not parsed again. Nothing is read before the first `read`. */
export function openConfigReader(options: ConfigReaderOptions): ConfigReader {
  let reader: Promise<ConfigReader> | undefined;
  return {
    read: async () => {
      // The Kubernetes client is large; it is loaded when it is needed, and only its kubeconfig part.
      reader ??= import('./kube-config.ts').then((module) => module.createConfigReader(options));
      return (await reader).read();
    },
    forget: () => void reader?.then((loaded) => loaded.forget()),
  };
}

/** What a kubeconfig or service account says. */
export interface ClientConfig {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** CA, certificate, key and the like. */
  readonly agentOptions: https.AgentOptions;
  /** Where the kubeconfig names a proxy. */
  readonly proxyAgent: http.Agent | undefined;
}

export interface ConfigReader {
  /** Rejects when a file is missing or says nothing usable. */
  read(): Promise<ClientConfig>;
  forget(): void;
}

interface Agents {
  agentFor(url: URL, options: https.AgentOptions): http.Agent;
  close(): void;
}

/** One agent as long as CA and certificate stay; a replaced one lets its watches end in peace. */
function createAgents(): Agents {
  let current: { readonly fingerprint: string; readonly agent: http.Agent } | undefined;
  const all = new Set<http.Agent>();
  return {
    agentFor: (url, options) => {
      const fingerprint = JSON.stringify([url.protocol, options]);
      if (current?.fingerprint !== fingerprint) {
        retire(current?.agent);
        const settings = { ...options, keepAlive: true };
        const agent = url.protocol === 'https:' ? new https.Agent(settings) : new http.Agent({ keepAlive: true });
        all.add(agent);
        current = { fingerprint, agent };
      }
      return current.agent;
    },
    close: () => all.forEach((agent) => agent.destroy()),
  };
}

function retire(agent: http.Agent | undefined): void {
  if (agent !== undefined) {
    agent.maxFreeSockets = 0;
    Object.values(agent.freeSockets)
      .flatMap((sockets: (Socket | Duplex)[] | undefined) => sockets ?? [])
      .forEach((socket) => socket.destroy());
  }
}
