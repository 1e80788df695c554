/** What the objects of the manifest have to say to their reader, for forms that have comments. */

export interface ManifestNote {
  /** Of the object; the note stands before the object if `path` is empty. */
  readonly kind: 'ServiceAccount' | 'ClusterRoleBinding' | 'DaemonSet';
  /** Keys, and for items of lists their names, or what they begin with if they are strings. */
  readonly path: readonly string[];
  readonly text: string;
}

/** Flags that the reader has to give, with values that only show how. */
export interface ExampleFlag {
  /** As it stands in the manifest. */
  readonly argument: string;
  /** A clause for people. */
  readonly what: string;
}

/** All of them; what is not in a manifest has its note for nothing. */
export function manifestNotes(examples: readonly ExampleFlag[]): readonly ManifestNote[] {
  return [
    { kind: 'ServiceAccount', path: [], text: beginning(examples.length > 0) },
    {
      kind: 'ClusterRoleBinding',
      path: [],
      text: 'The role that every cluster has for kube-proxy: read Services, EndpointSlices and Nodes, write Events. sluice asks for nothing beyond it.',
    },
    ...[...daemonSetNotes, ...directReturnNotes].map(([path, text]) => ({ kind: 'DaemonSet', path, text }) as const),
    ...examples.map(({ argument, what }) => {
      const path = [...agent, 'args', argument];
      return { kind: 'DaemonSet', path, text: `EDIT: ${what}.` } as const;
    }),
  ];
}

function beginning(hasExamples: boolean): string {
  return [
    `sluice on every Linux node.${hasExamples ? ' Lines that depend on the cluster are marked EDIT.' : ''} Made by "sluice manifest", which takes the flags of the agent.`,
    '',
    'kube-proxy (or another service proxy) must not run on the same nodes: two proxies would undo each other\'s work. The image is not published: "npm run image" builds it, and "ctr --namespace k8s.io images import" brings it to a node.',
  ].join('\n');
}

const pod = ['spec', 'template', 'spec'];
const preparation = [...pod, 'initContainers', 'prepare-node'];
const agent = [...pod, 'containers', 'sluice'];

type Note = readonly [path: readonly string[], text: string];

const daemonSetNotes: readonly Note[] = [
  [
    ['spec', 'updateStrategy', 'rollingUpdate', 'maxUnavailable'],
    'A restart breaks no connection; the limit keeps a bad version from reaching every node at once.',
  ],
  [
    ['spec', 'updateStrategy', 'rollingUpdate', 'maxSurge'],
    'No second agent beside the first: both would want the same port of the node, and the second would only wait for the end of the first.',
  ],
  [[...pod, 'hostNetwork'], "The node's own network is what sluice programs."],
  [[...pod, 'tolerations'], 'A node without a service proxy is of no use, whatever its taints.'],
  [[...pod, 'terminationGracePeriodSeconds'], 'It stops at once and leaves the kernel as it is.'],
  [
    preparation,
    "What takes more rights than programming IPVS: loading modules and writing sysctls. /proc/sys is read-only in every container that is not privileged, so this one is, and it ends before the agent starts. Leave it out where modules and sysctls are part of the node image: the agent checks the sysctls and names those that are wrong in its log. IPv6 forwarding is left to whoever gives pods their IPv6 addresses: switching it on makes the kernel ignore router advertisements, and with them perhaps the node's own default route.",
  ],
  [
    [...preparation, 'args'],
    "Flags of the host's settings (--conntrack-…, --ipvs-strict-arp, --ipvs-…-timeout) and --direct-return stand here and at the agent.",
  ],
  [
    [...agent, 'startupProbe'],
    'Asked often, so that a rollout goes on at once; five minutes are for the end of another agent and for a busy node.',
  ],
  [
    [...agent, 'livenessProbe'],
    'Every change waits at most 60 s to be in force; beyond that a restart is worth trying.',
  ],
  [[...agent, 'readinessProbe'], 'Also false when the node is about to be deleted, as load balancers want to know.'],
  [
    [...agent, 'resources'],
    'Of memory, what 1,000 Services with 10 endpoints each take (10,000 take twice as much); of CPU, far more than an idle agent and enough to go on on a full node. No limits: throttled or ended, it would leave the Services of the node as they were.',
  ],
  [[...agent, 'securityContext'], "IPVS asks for NET_ADMIN in the host's user namespace; nothing else is needed."],
];

const directReturnNotes: readonly Note[] = [
  [
    [...agent, 'securityContext', 'allowPrivilegeEscalation'],
    'Nothing that the agent starts gains rights. With SYS_ADMIN Kubernetes refuses false.',
  ],
  [
    [...agent, 'securityContext', 'capabilities', 'add', 'SYS_ADMIN'],
    'To enter the network namespace of a pod. With NET_ADMIN it is all that working inside takes; no hostPID.',
  ],
  [
    [...agent, 'volumeMounts', 'container-runtime'],
    'Mounts that come and go on the node do so here too: those of containers are not held, those of pods are seen.',
  ],
  [[...pod, 'volumes', 'container-runtime'], 'The folder, not the socket: a runtime that restarts makes a new one.'],
  [
    [...pod, 'volumes', 'pod-records'],
    'What was changed in which pod, so that it is undone whatever happens to the agent.',
  ],
];
