import type { FlagValues } from '../app/config/parse-config.ts';
import { type ConfigProblem, quote } from '../app/config/problem.ts';
import { imageFlag, namespaceFlag } from './commands.ts';

/** Where the objects of `sluice manifest` go, and the image that was asked for. */
export interface GivenPlace {
  readonly image: string | undefined;
  readonly namespace: string;
}

/** Reads --image and --namespace, or says all that is wrong with them. */
export function parsePlace(values: FlagValues): GivenPlace | readonly ConfigProblem[] {
  const image = values.get(imageFlag.name)?.at(-1);
  const namespace = values.get(namespaceFlag.name)?.at(-1) ?? 'kube-system';
  const problems = [
    ...(image === undefined || isReference(image) ? [] : [badImage(image)]),
    ...(isLabel(namespace) ? [] : [badNamespace(namespace)]),
  ];
  return problems.length === 0 ? { image, namespace } : problems;
}

/** https://github.com/distribution/reference: host and port, path, tag, digest. */
function isReference(text: string): boolean {
  const reference =
    /^([\w.-]+(:\d+)?\/)?[a-z0-9]+([._-]+[a-z0-9]+)*(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:\w[\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/;
  return text.length <= 500 && reference.test(text);
}

/** RFC 1123, as the API server wants names of namespaces. */
function isLabel(text: string): boolean {
  return text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text);
}

function badImage(given: string): ConfigProblem {
  const remedy = 'Write it like registry.example/sluice:0.1.0';
  return { flag: '--image', expected: 'the reference of an image', given: quote(given), remedy };
}

function badNamespace(given: string): ConfigProblem {
  const remedy = 'Choose letters in lower case, digits and dashes';
  return { flag: '--namespace', expected: 'the name of a namespace', given: quote(given), remedy };
}
