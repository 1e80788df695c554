import fc from 'fast-check';
import { expect, test } from 'vitest';
import { withServerDefaults } from '../../../src/kube/manifests/defaults.ts';
import { parseManifest } from '../../../src/kube/manifests/parse-manifest.ts';
import { projectEndpointSlice } from '../../../src/kube/project/endpoint-slice.ts';
import { isJsonObject } from '../../../src/kube/project/json.ts';
import { projectNode } from '../../../src/kube/project/node.ts';
import { projectService } from '../../../src/kube/project/service.ts';
import { projectServiceCIDR } from '../../../src/kube/project/service-cidr.ts';
import { rawNode, rawService, rawServiceCIDR, rawSlice } from '../objects.ts';
import { settings } from './settings.ts';

const projections = [projectService, projectEndpointSlice, projectNode, projectServiceCIDR];

test('any JSON value is projected, found to be of no concern, or reported', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      for (const project of projections) {
        expect(project(value, settings).result).toBe('malformed');
      }
    }),
  );
});

test('a real object with any field replaced by any JSON value never throws, and every refusal says what and why', () => {
  const objects = [
    rawServiceCIDR('kubernetes', '10.96.0.0/12'),
    rawService('web'),
    rawSlice('web-1'),
    rawNode('node-1', { spec: { taints: [{}] }, status: {} }),
  ];
  fc.assert(
    fc.property(fc.constantFrom(...objects), fc.nat(40), fc.jsonValue(), (object, place, value) => {
      const spoiled = replaceAt(object, place, value);
      for (const project of projections) {
        const projection = project(isJsonObject(spoiled) ? withServerDefaults(spoiled) : spoiled, settings);
        const refusals = projection.result === 'unconcerned' ? [] : projection.refusals;
        expect(refusals.every(({ subject, expected }) => subject !== '' && expected !== '')).toBe(true);
        expect(refusals.every(({ found }) => found.length <= 64)).toBe(true);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('any text is a manifest or has faults with lines', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.lorem().map((text) => `a: ${text}\n---\n- [`),
      ),
      (text) => {
        const { faults, objects } = parseManifest(text);
        expect(faults.every(({ line }) => line >= 1)).toBe(true);
        expect(objects.every(({ line }) => line() >= 1)).toBe(true);
      },
    ),
  );
});

/** The same tree with the node number `place` (in depth-first order) replaced. */
function replaceAt(tree: unknown, place: number, value: unknown): unknown {
  let count = -1;
  const visit = (node: unknown): unknown => {
    count += 1;
    if (count === place) {
      return value;
    }
    if (Array.isArray(node)) {
      return node.map(visit);
    }
    return isJsonObject(node)
      ? Object.fromEntries(Object.entries(node).map(([key, each]) => [key, visit(each)]))
      : node;
  };
  return visit(tree);
}
