/** The API server as a source of facts. */

import type { Clock } from '../clock.ts';
import { createIntern } from '../project/intern.ts';
import type { FactSource } from '../source.ts';
import { openCredentials } from './credentials.ts';
import { descriptors } from './descriptor.ts';
import { httpTransport } from './http-transport.ts';
import { createReflector } from './reflector.ts';
import type { Transport } from './transport.ts';

export interface KubeSourceOptions {
  /** Path of a kubeconfig file; undefined: the service account of the pod. */
  readonly kubeConfig: string | undefined;
  /** URL of the API server, whatever the kubeconfig says. */
  readonly master: string | undefined;
  readonly clock: Clock;
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
  /**
   * Values of the label `service.kubernetes.io/service-proxy-name` that mean this proxy. None by default: then the label
   * hides a Service whatever its value, as it does from kube-proxy.
   */
  readonly ownProxyNames?: readonly string[];
  /** Instead of HTTP with the credentials above. */
  readonly transport?: Transport;
}

/** Lists and watches Services, EndpointSlices and Nodes. Nothing is read before `start`. */
export function kubeSource(options: KubeSourceOptions): FactSource {
  const { clock, random, ownProxyNames = [] } = options;
  const transport = options.transport ?? httpTransport(openCredentials(options));
  const settings = { ownProxyNames, intern: createIntern() };
  const reflectors = descriptors(ownProxyNames).map((descriptor) =>
    createReflector({ descriptor, settings, transport, clock, random }),
  );
  return {
    start: (sink) => reflectors.forEach((reflector) => reflector.start(sink)),
    stop: async () => {
      await Promise.all(reflectors.map((reflector) => reflector.stop()));
      transport.close();
    },
    states: () => reflectors.map((reflector) => reflector.state()),
  };
}
