/** The API server as a source of facts. */

import type { Clock } from '../clock.ts';
import { createIntern } from '../project/intern.ts';
import type { FactSource } from '../source.ts';
import { type ConfigReader, openCredentials } from './credentials.ts';
import { descriptors } from './descriptor.ts';
import { httpTransport } from './http-transport.ts';
import { createReflector } from './reflector.ts';
import type { Transport } from './transport.ts';

export interface KubeSourceOptions {
  /** Says where the API server is, and who we are. */
  readonly configReader: ConfigReader;
  readonly clock: Clock;
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
  /**
   * Values of the label `service.kubernetes.io/service-proxy-name` that mean this proxy. None by default: then the label
   * hides a Service whatever its value, as it does from kube-proxy.
   */
  readonly ownProxyNames?: readonly string[];
  /** Instead of HTTP with what is read above. */
  readonly transport?: Transport;
}

/** Lists and watches Services, EndpointSlices and Nodes. Nothing is read before `start`. */
export function kubeSource(options: KubeSourceOptions): FactSource {
  const { clock, random, ownProxyNames = [] } = options;
  const transport = options.transport ?? httpTransport(openCredentials(options.configReader));
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
