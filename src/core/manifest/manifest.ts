/** The objects that install sluice in a cluster, as data. Plain YAML, kustomize and the chart are all made from them. */

import { daemonSet } from './daemon-set.ts';
import type { JsonObject, ManifestInput } from './input.ts';

/** In the order in which they are applied. */
export function manifestObjects(input: ManifestInput): readonly JsonObject[] {
  return [serviceAccount(input), clusterRoleBinding(input), daemonSet(input)];
}

function serviceAccount({ namespace }: ManifestInput): JsonObject {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'sluice', namespace } };
}

function clusterRoleBinding({ namespace }: ManifestInput): JsonObject {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'sluice' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node-proxier' },
    subjects: [{ kind: 'ServiceAccount', name: 'sluice', namespace }],
  };
}
