import type { Json, JsonObject, ManifestInput } from './input.ts';

/** What takes more rights than programming IPVS. */
export function preparationContainer({ image, preparationFlags }: ManifestInput): JsonObject {
  return {
    name: 'prepare-node',
    image,
    imagePullPolicy: 'IfNotPresent',
    args: ['run', '--init-only', ...preparationFlags],
    securityContext: { privileged: true, readOnlyRootFilesystem: true },
    volumeMounts: [{ name: 'modules', mountPath: '/lib/modules', readOnly: true }],
  };
}

export function agentContainer(input: ManifestInput): JsonObject {
  const { image, agentFlags, directReturn } = input;
  const mounts = volumeMounts(input);
  return {
    name: 'sluice',
    image,
    imagePullPolicy: 'IfNotPresent',
    args: ['run', '--hostname-override=$(NODE_NAME)', ...agentFlags],
    env: [{ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
    ...health(input),
    resources: { requests: { cpu: '50m', memory: '128Mi' } },
    securityContext: {
      runAsUser: 0,
      privileged: false,
      // Kubernetes refuses false together with SYS_ADMIN (ValidateSecurityContext in pkg/apis/core/validation).
      allowPrivilegeEscalation: directReturn !== undefined,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN', ...(directReturn === undefined ? [] : ['SYS_ADMIN'])] },
    },
    ...(mounts.length === 0 ? {} : { volumeMounts: mounts }),
  };
}

function health({ healthz }: ManifestInput): JsonObject {
  if (healthz === undefined) {
    return {};
  }
  const { address, port } = healthz;
  // The kubelet asks at the address of the pod, here the node's, unless it is told another.
  const host: JsonObject = ['', '0.0.0.0', '::'].includes(address) ? {} : { host: address };
  const page = (path: string): JsonObject => ({ httpGet: { path, port: 'healthz', ...host } });
  return {
    ports: [{ name: 'healthz', containerPort: port, hostPort: port, protocol: 'TCP' }],
    startupProbe: { ...page('/livez'), periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 150 },
    livenessProbe: { ...page('/livez'), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    readinessProbe: { ...page('/healthz'), periodSeconds: 5, timeoutSeconds: 5 },
  };
}

function volumeMounts({ directReturn, stateFolder }: ManifestInput): readonly Json[] {
  return [
    ...(directReturn === undefined
      ? []
      : [
          ownMounts('container-runtime', directReturn.runtime),
          ownMounts('pod-networks', '/run/netns'),
          { name: 'pod-records', mountPath: directReturn.records },
        ]),
    ...(stateFolder === undefined ? [] : [{ name: 'last-known-state', mountPath: stateFolder }]),
  ];
}

/** Mounts that come and go on the node do so in the container too. */
function ownMounts(name: string, mountPath: string): JsonObject {
  return { name, mountPath, readOnly: true, mountPropagation: 'HostToContainer' };
}
