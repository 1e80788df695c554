/** EndpointSlice (discovery.k8s.io/v1) → EndpointSliceFact. */

import { exactList } from '../../core/exact-list.ts';
import type { EndpointFact, EndpointPortFact, EndpointSliceFact, Family } from '../../core/model/facts.ts';
import type { Refusal } from '../../core/model/reason.ts';
import { type EndpointPlace, readEndpoint } from './endpoint.ts';
import { excerpt, type JsonObject, MalformedError, readList, readName, readString, requireObject } from './json.ts';
import { headlessLabel, keyOfNamespaced, readMetadata, readTime } from './metadata.ts';
import { isPortNumber, portRefusal, readProtocol } from './ports.ts';
import { type Projection, type ProjectionSettings, projectSafely } from './projection.ts';

/** Written by the EndpointSlice controller, RFC 3339 with nanoseconds. Only the metrics read it. */
const triggerTimeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';
const serviceNameLabel = 'kubernetes.io/service-name';
/** Ours, and the one of Cilium with the same meaning. */
const weightAnnotations = ['sluice.dev/weight', 'service.cilium.io/weight'] as const;

/** Never throws, whatever `raw` is. */
export function projectEndpointSlice(raw: unknown, settings: ProjectionSettings): Projection {
  return projectSafely(
    () => keyOfNamespaced(raw),
    () => {
      const object = requireObject(raw, 'object');
      const { key, namespace, labels, annotations } = readMetadata(object, settings.intern);
      const service = readName(labels[serviceNameLabel], `metadata.labels[${serviceNameLabel}]`);
      const family = readFamily(object['addressType']);
      if (service === undefined || family === undefined || labels[headlessLabel] !== undefined) {
        return { result: 'unconcerned', key };
      }
      const refusals: Refusal[] = [];
      const fact: EndpointSliceFact = {
        key,
        service: settings.intern(`${namespace}/${service}`),
        family,
        weight: readWeight(annotations, refusals),
        triggeredAt: readTime(annotations[triggerTimeAnnotation]),
        ports: readPorts(object['ports'], settings, refusals),
        endpoints: readEndpoints(object['endpoints'], { family, namespace, intern: settings.intern }, refusals),
      };
      return { result: 'fact', key, object: { kind: 'EndpointSlice', fact }, refusals };
    },
  );
}

/** Undefined for FQDN: names are no destinations. */
function readFamily(value: unknown): Family | undefined {
  if (value === 'IPv4' || value === 'IPv6') {
    return value;
  }
  if (value === 'FQDN') {
    return undefined;
  }
  throw new MalformedError('addressType', value, 'IPv4, IPv6 or FQDN');
}

function readWeight(annotations: JsonObject, refusals: Refusal[]): number {
  const name = weightAnnotations.find((each) => annotations[each] !== undefined);
  if (name === undefined) {
    return 1;
  }
  const subject = `metadata.annotations[${name}]`;
  const text = (readString(annotations[name], subject) ?? '').trim();
  const isInteger = /^-?\d{1,9}$/.test(text);
  const weight = isInteger ? Math.min(65_535, Math.max(0, Number(text))) : 1;
  if (!isInteger || weight !== Number(text)) {
    const expected = `a whole number from 0 to 65535; ${weight} taken`;
    refusals.push({ reason: 'weight-invalid', subject, found: excerpt(text), expected });
  }
  return weight;
}

/** A port without a name, a number or a known protocol joins no Service port; that one is left out. */
function readPorts(value: unknown, settings: ProjectionSettings, refusals: Refusal[]): readonly EndpointPortFact[] {
  const ports: EndpointPortFact[] = [];
  for (const [index, entry] of readList(value, 'ports').entries()) {
    const subject = `ports[${index}]`;
    const raw = requireObject(entry, subject);
    const port = raw['port'];
    const name = readString(raw['name'], `${subject}.name`);
    const protocol = readProtocol(raw['protocol'], `${subject}.protocol`, refusals);
    if (name === undefined) {
      refusals.push({ reason: 'port-invalid', subject: `${subject}.name`, found: 'nothing', expected: 'a name or ""' });
    } else if (!isPortNumber(port)) {
      refusals.push(portRefusal(`${subject}.port`, port));
    } else if (protocol !== undefined) {
      ports.push({ name: settings.intern(name), protocol, port });
    }
  }
  return exactList(ports);
}

function readEndpoints(
  value: unknown,
  { family, namespace, intern }: Omit<EndpointPlace, 'index'>,
  refusals: Refusal[],
): readonly EndpointFact[] {
  const endpoints: EndpointFact[] = [];
  const list = readList(value, 'endpoints');
  for (let index = 0; index < list.length; index += 1) {
    const endpoint = readEndpoint(list[index], { index, family, namespace, intern }, refusals);
    if (endpoint !== undefined) {
      endpoints.push(endpoint);
    }
  }
  return exactList(endpoints);
}
