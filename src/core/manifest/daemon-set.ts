import { agentContainer, preparationContainer } from './containers.ts';
import type { Json, JsonObject, ManifestInput } from './input.ts';

const labels: JsonObject = { 'app.kubernetes.io/name': 'sluice' };

export function daemonSet(input: ManifestInput): JsonObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'sluice', namespace: input.namespace, labels },
    spec: {
      selector: { matchLabels: labels },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%', maxSurge: 0 } },
      template: { metadata: { labels }, spec: podSpec(input) },
    },
  };
}

function podSpec(input: ManifestInput): JsonObject {
  return {
    serviceAccountName: 'sluice',
    hostNetwork: true,
    dnsPolicy: 'Default',
    priorityClassName: 'system-node-critical',
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ operator: 'Exists' }],
    terminationGracePeriodSeconds: 10,
    securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
    initContainers: [preparationContainer(input)],
    containers: [agentContainer(input)],
    volumes: volumes(input),
  };
}

function volumes({ directReturn, stateFolder }: ManifestInput): readonly Json[] {
  return [
    hostPath('modules', '/lib/modules', 'DirectoryOrCreate'),
    ...(directReturn === undefined
      ? []
      : [
          hostPath('container-runtime', directReturn.runtime, 'Directory'),
          hostPath('pod-networks', '/run/netns', 'DirectoryOrCreate'),
          hostPath('pod-records', directReturn.records, 'DirectoryOrCreate'),
        ]),
    ...(stateFolder === undefined ? [] : [hostPath('last-known-state', stateFolder, 'DirectoryOrCreate')]),
  ];
}

function hostPath(name: string, path: string, type: 'Directory' | 'DirectoryOrCreate'): JsonObject {
  return { name, hostPath: { path, type } };
}
