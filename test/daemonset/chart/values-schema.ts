import type { Flag } from '../../../src/app/config/flag.ts';
import { manifestFlags } from '../../../src/app/manifest.ts';

/** What Helm checks before it renders: https://json-schema.org/draft-07/schema. */
export function valuesSchema(): object {
  const text = { type: 'string' };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    additionalProperties: false,
    properties: {
      image: closed({
        repository: { type: 'string', minLength: 1 },
        tag: text,
        digest: { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' },
        pullPolicy: { enum: ['Always', 'IfNotPresent', 'Never'] },
      }),
      imagePullSecrets: { type: 'array', items: closed({ name: text }) },
      flags: closed(Object.fromEntries(manifestFlags.map(({ flag }) => [flag.name, flagSchema(flag)]))),
      updateStrategy: { type: 'object' },
      resources: { type: 'object' },
      nodeSelector: { type: 'object', additionalProperties: text },
      tolerations: { type: 'array', items: { type: 'object' } },
      priorityClassName: text,
      terminationGracePeriodSeconds: { type: 'integer', minimum: 0 },
      affinity: { type: 'object' },
      podAnnotations: { type: 'object', additionalProperties: text },
      // Helm's own, where the chart is a part of another.
      global: { type: 'object' },
    },
  };
}

function closed(properties: object): object {
  return { type: 'object', additionalProperties: false, properties };
}

function flagSchema({ help, isSwitch, placeholder }: Flag): object {
  const description = help;
  if (isSwitch) {
    return { description, type: 'boolean' };
  }
  if (placeholder === 'NUMBER') {
    return { description, type: 'integer' };
  }
  return placeholder.includes(',…')
    ? { description, type: ['string', 'array'], items: { type: 'string' } }
    : { description, type: 'string' };
}
