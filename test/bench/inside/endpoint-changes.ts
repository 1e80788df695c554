import type { ChangeProtocol, Size } from '../result.ts';

export interface EndpointChange {
  readonly service: number;
  /** How many endpoints the Service has from now on. */
  readonly endpoints: number;
}

/** In turn an endpoint of a Service goes and comes back, or comes and goes, then of another, all over the table. */
export function* endpointChanges(size: Size, protocol: ChangeProtocol, count: number): Iterable<EndpointChange> {
  // Every other Service is UDP, see `protocolOf`.
  const candidates = Math.floor(size.services / 2);
  for (let change = 0; change < count; change += 1) {
    const service = ((Math.floor(change / 2) * stride) % candidates) * 2 + (protocol === 'UDP' ? 1 : 0);
    yield { service, endpoints: change % 2 === 0 ? otherEndpoints(size, 1) : size.endpoints };
  }
}

/**
 * How many endpoints a Service has while some are changed: so many less, or more where too few would be left. A Service
 * without any is another thing to a proxy.
 */
export function otherEndpoints({ endpoints }: Size, by: 1 | 2): number {
  return endpoints > 2 ? endpoints - by : endpoints + by;
}

/**
 * About as many, in rounds: the last endpoint of every Service in turn goes, then all of them come back. What arrives at once
 * is about different Services: an agent that takes it in together has as much to do.
 */
export function roundsOfChanges(size: Size, protocol: ChangeProtocol, count: number): readonly EndpointChange[] {
  const pairs = [...endpointChanges(size, protocol, Math.floor(size.services / 2) * 2)];
  const [goes, comes] = [0, 1].map((half) => pairs.filter((_, index) => index % 2 === half));
  const rounds = Math.max(1, Math.floor(count / pairs.length));
  return Array.from({ length: rounds }, () => [...(goes ?? []), ...(comes ?? [])]).flat();
}

/** A prime, so that neighbours in time are no neighbours in memory. */
const stride = 7919;
