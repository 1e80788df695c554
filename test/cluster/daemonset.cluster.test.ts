import { afterAll, beforeAll, expect, test } from 'vitest';
import { ownArchitecture } from '../image/architecture.ts';
import { imageArchive, imageName } from '../image/image-name.ts';
import { answeringDeployment, podsOf } from '../lab/cluster/deployment.ts';
import { type Cluster, startCluster } from '../lab/cluster.ts';
import { output } from '../lab/execute.ts';
import { type Listing, listing } from '../lab/state/listing.ts';
import { countAnswers } from '../lab/traffic/result.ts';
import { connectionCount, type Outcome, startSteadyTraffic } from '../lab/traffic/steady-traffic.ts';
import { clusterCIDRs, rootAddresses } from '../lab/world/places.ts';
import { cleanUp } from './clean-up.ts';
import { manifestFor } from './manifest.ts';
import { nextImageArchive, nextImageName, setOfNextVersion, setOfThisVersion } from './next-version.ts';

const nodePort = 30_080;
const names = ['node1', 'node2'] as const;
const kubeSystem = '--namespace=kube-system';
/** On a busy machine fewer come through than the 200 that are sent on a quiet one. */
const leastRequestsPerSecond = 50;
const nothingLost = expect.objectContaining({ broken: [], failed: [] });

let cluster: Cluster;
let manifest: string;
let before: readonly Listing[];

beforeAll(async () => {
  cluster = await startCluster({ nodes: names, clients: ['client'] });
  await cluster.importArchive(imageArchive(ownArchitecture()));
  await cluster.importArchive(nextImageArchive());
  await cluster.kubernetes.apply(answeringDeployment('web', 4, 8080), {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      type: 'NodePort',
      ipFamilyPolicy: 'RequireDualStack',
      selector: { app: 'web' },
      ports: [{ name: 'tcp', port: 80, targetPort: 8080, nodePort }],
    },
  });
  await cluster.rolledOut('deployment/web');
  before = await listings();
  manifest = await manifestFor({
    server: `https://${rootAddresses.IPv4}:6443`,
    podRanges: `${clusterCIDRs.IPv4},${clusterCIDRs.IPv6}`,
  });
});

afterAll(async () => {
  await cluster.remove();
});

test('the DaemonSet of the plain manifest becomes ready', async () => {
  await cluster.kubernetes.kubectl(['apply', '--filename=-'], manifest);
  await cluster.rolledOut('daemonset/sluice', 'kube-system');
  const agents = await podsOf(cluster.kubernetes, 'app.kubernetes.io/name=sluice', 'kube-system');
  expect(agents.map((each) => each.node).sort()).toEqual(names);
});

test('each endpoint of a Deployment’s Service answers a client outside, at either node, in both families', async () => {
  const pods = (await podsOf(cluster.kubernetes, 'web')).map((each) => each.name).sort();
  const client = cluster.world.client('client');
  for (const name of names) {
    const { addresses } = cluster.world.node(name);
    for (const address of [addresses.IPv4[0] ?? '', addresses.IPv6[0] ?? '']) {
      const results = await cluster.world.requests(client, { protocol: 'TCP', address, port: nodePort }, 8);
      expect(Object.keys(countAnswers(results)).sort(), `${address} through ${name}`).toEqual(pods);
    }
  }
});

test('a pod resolves a Service by its name and reaches it', async () => {
  const [pod] = await podsOf(cluster.kubernetes, 'web');
  const inPod = (...command: readonly string[]) =>
    cluster.kubernetes.kubectl(['exec', pod?.name ?? '', '--', 'busybox', ...command]);
  const spec = await cluster.kubernetes.kubectl(['get', 'service', 'web', '--output=jsonpath={.spec.clusterIP}']);
  expect(await inPod('nslookup', 'web.default.svc.cluster.local')).toContain(spec);
  const asked = await inPod('sh', '-c', 'echo "" | busybox nc -w 5 web 80');
  const pods = (await podsOf(cluster.kubernetes, 'web')).map((each) => each.name);
  expect(pods).toContain(asked.split(' ')[0]);
});

test('a restart of the DaemonSet breaks no connection and fails no request', async () => {
  const outcome = await underLoad('rollout restart', () =>
    kubectl('rollout', 'restart', 'daemonset/sluice', kubeSystem),
  );
  expect(outcome).toEqual(nothingLost);
});

test('nor does an upgrade to a version that keeps its state in another format', async () => {
  const outcome = await underLoad('upgrade', () =>
    kubectl('set', 'image', 'daemonset/sluice', `*=${nextImageName}`, kubeSystem),
  );
  expect(outcome).toEqual(nothingLost);
  expect(await setsOf('node1')).toContain(setOfNextVersion);
  expect(await setsOf('node1')).not.toContain(setOfThisVersion);
});

test('nor does the way back', async () => {
  const outcome = await underLoad('downgrade', () => kubectl('rollout', 'undo', 'daemonset/sluice', kubeSystem));
  expect(outcome).toEqual(nothingLost);
  expect(await setsOf('node1')).toContain(setOfThisVersion);
  expect(await setsOf('node1')).not.toContain(setOfNextVersion);
});

test('without NET_ADMIN the container ends and names what is missing', async () => {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'unable', namespace: 'kube-system' },
    spec: {
      nodeName: 'node2',
      hostNetwork: true,
      restartPolicy: 'Never',
      serviceAccountName: 'sluice',
      containers: [
        {
          name: 'sluice',
          image: imageName,
          imagePullPolicy: 'Never',
          args: ['run', '--hostname-override=node2', `--master=https://${rootAddresses.IPv4}:6443`],
          securityContext: {
            runAsUser: 0,
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        },
      ],
    },
  };
  await cluster.kubernetes.apply(pod);
  const phase = ['get', 'pod', 'unable', '--namespace=kube-system', '--output=jsonpath={.status.phase}'];
  await cluster.waitUntil(
    'the container without NET_ADMIN ended',
    async () => (await cluster.kubernetes.kubectl(phase)) === 'Failed',
  );
  const said = await cluster.kubernetes.kubectl(['logs', 'unable', '--namespace=kube-system']);
  expect(said).toContain('NET_ADMIN');
  await cluster.kubernetes.kubectl(['delete', 'pod', 'unable', '--namespace=kube-system']);
});

test('after the DaemonSet is deleted and cleaned up after, the nodes are as they were', async () => {
  await kubectl('delete', 'daemonset/sluice', kubeSystem, '--cascade=foreground');
  expect(await listings()).not.toEqual(before);
  for (const name of names) await cleanUp(cluster, name);
  expect(await listings()).toEqual(before);
});

/** Changes the DaemonSet while connections stand and requests go on, and waits until every node has its new pod. */
async function underLoad(title: string, change: () => Promise<unknown>): Promise<Outcome> {
  const address = cluster.world.node('node1').addresses.IPv4[0] ?? '';
  const traffic = await startSteadyTraffic(cluster.world, { protocol: 'TCP', address, port: nodePort });
  await change();
  await cluster.rolledOut('daemonset/sluice', 'kube-system');
  const outcome = await traffic.end();
  console.info(`${title}: ${connectionCount} connections, ${JSON.stringify(outcome)}`);
  expect(outcome.requestsPerSecond).toBeGreaterThan(leastRequestsPerSecond);
  return outcome;
}

function kubectl(...words: readonly string[]): Promise<string> {
  return cluster.kubernetes.kubectl(words);
}

function setsOf(node: string): Promise<string> {
  return output(node, ['nft', 'list', 'sets', 'inet']);
}

function listings(): Promise<readonly Listing[]> {
  return Promise.all(names.map((name) => listing(cluster.world.node(name))));
}
