import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ObservedVirtualServer, readVirtualServers } from '../lab/state/ipvs.ts';
import { countAnswers } from '../lab/traffic/result.ts';
import { podPort } from '../lab/world/places.ts';
import { createWorld, type World } from '../lab/world.ts';
import { type Agent, type LogLine, startAgent } from './agent.ts';
import { endpointSlice, type Manifest, makeManifestFolder, nodeObject, service } from './manifests.ts';

describe('an agent that is given bad input', () => {
  let world: World;
  let agent: Agent;
  let servers: readonly ObservedVirtualServer[];

  beforeAll(async () => {
    world = await createWorld({ nodes: [{ name: 'node1', pods: ['server'] }], clients: ['client'] });
    const folder = await makeManifestFolder(await mkdtemp(join(tmpdir(), 'bad-input-')));
    const { IPv4, IPv6 } = world.node('node1').addresses;
    await folder.write('node.json', [nodeObject('node1', [...IPv4, ...IPv6])]);
    for (const [name, objects] of Object.entries(objectsByFile(world))) {
      await folder.write(`${name}.json`, objects);
    }
    await folder.writeText('broken.yaml', 'kind: Service\n  metadata: [}\n');
    agent = startAgent({ node: 'node1', manifests: folder.path, flags: ['--ipvs-sync-period=1s'] });
    await agent.synced;
    // Several audits and retries: whatever is said twice is said by now.
    await agent.line((line) => line.msg === 'the kernel refused an operation', 5_000).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    servers = await readVirtualServers(world.node('node1'));
  });

  afterAll(async () => {
    await agent.end('SIGTERM');
    await world.remove();
  });

  it('programs everything else and answers', async () => {
    for (const address of goodVips) {
      const target = { protocol: 'TCP', address, port: 80 } as const;
      expect([address, countAnswers(await world.requests(world.client('client'), target, 2))]).toEqual([
        address,
        { server: 2 },
      ]);
    }
  });

  it.each([
    ['an unknown scheduler', 'scheduler-unknown', 'Service scenario/unknown-scheduler'],
    ['an unknown scheduler flag', 'scheduler-flag-unknown', 'Service scenario/unknown-flag'],
    ['an address of a family the Service has not', 'address-wrong-family', 'Service scenario/wrong-family'],
    ['an address that is none', 'address-invalid', 'Service scenario/no-address'],
    ['an address that must not be taken', 'address-forbidden', 'Service scenario/forbidden-address'],
    ['a port out of range', 'port-invalid', 'Service scenario/port-out-of-range'],
    ['a protocol that does not exist', 'protocol-unknown', 'Service scenario/unknown-protocol'],
    ['an endpoint of the wrong family', 'address-wrong-family', 'EndpointSlice scenario/endpoint-family-ipv4'],
    [
      'an endpoint address that leads nowhere',
      'endpoint-address-forbidden',
      'EndpointSlice scenario/endpoint-forbidden-ipv4',
    ],
    ['a weight that is no number', 'weight-invalid', 'EndpointSlice scenario/weight-ipv4'],
    ['a Service without a spec', 'object-malformed', 'Service scenario/no-spec'],
  ])('refuses %s once, by the reason %s', (_, reason, object) => {
    const said = refusals().filter((line) => line['reason'] === reason && line['object'] === object);
    expect(said).toHaveLength(1);
  });

  it('says where a file cannot be read as manifests', () => {
    const said = agent.log.filter((line) => JSON.stringify(line).includes('broken.yaml'));
    expect(said).toHaveLength(1);
    expect(JSON.stringify(said[0])).toMatch(/broken\.yaml:\d/);
  });

  it('uses the default scheduler in place of an unknown one', () => {
    expect(servers.find(({ service: name }) => name === 'TCP 10.96.1.1:80')?.scheduler).toBe('rr');
  });

  it('leaves out the endpoint that the kernel refuses and keeps the others', () => {
    const server = servers.find(({ service: name }) => name === 'TCP 10.96.1.13:80');
    expect(server?.destinations.map(({ address }) => address)).toEqual([`${serverAddress()}:${podPort}`]);
    const said = agent.log.filter((line) => line.msg === 'the kernel refused an operation');
    expect(said).toHaveLength(1);
    expect(said[0]?.['errno']).toBe('EINVAL');
  });

  it('is healthy, since there is nothing that it could do better', async () => {
    const url = 'http://127.0.0.1:10256/healthz';
    expect(await world.run(world.node('node1'), ['curl', '-fsS', url])).toContain('"healthy":true');
  });

  function refusals(): readonly LogLine[] {
    return agent.log.filter((line) => line.msg === 'refused');
  }

  function serverAddress(): string {
    return world.pod('server').addresses.IPv4[0] ?? '';
  }
});

/** Each of these has a good part, which must work. */
const goodVips = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13].map((number) => `10.96.1.${number}`);

function objectsByFile(world: World): Readonly<Record<string, readonly unknown[]>> {
  const [pod = ''] = world.pod('server').addresses.IPv4;
  const [node = ''] = world.node('node1').addresses.IPv4;
  const broadcast = node.replace(/\d+$/, '255');
  const http = { name: '', protocol: 'TCP', port: 80 } as const;
  const pair = (name: string, number: number, rest: object = {}, endpoints: readonly string[] = [pod]): Manifest[] => [
    service({ name, clusterIPs: [`10.96.1.${number}`], ports: [http], ...rest }),
    endpointSlice({
      service: name,
      family: 'IPv4',
      ports: [{ name: '', protocol: 'TCP', port: podPort }],
      endpoints: endpoints.map((address) => ({ address, nodeName: 'node1' })),
    }),
  ];
  const [weighted, weightedSlice] = pair('weight', 9);
  return {
    scheduler: pair('unknown-scheduler', 1, { annotations: { 'sluice.dev/scheduler': '../../etc/passwd' } }),
    flag: pair('unknown-flag', 2, {
      annotations: { 'sluice.dev/scheduler': 'mh', 'sluice.dev/scheduler-flags': 'mh-upside-down' },
    }),
    family: pair('wrong-family', 3, { externalIPs: ['2001:db8::1'] }),
    text: pair('no-address', 4, { externalIPs: ['10.0.0.300'] }),
    forbidden: pair('forbidden-address', 5, { externalIPs: ['127.0.0.1'] }),
    port: pair('port-out-of-range', 6, { ports: [http, { name: 'high', protocol: 'TCP', port: 70_000 }] }),
    protocol: pair('unknown-protocol', 7, { ports: [http, { name: 'odd', protocol: 'DCCP', port: 81 }] }),
    'endpoint-family': pair('endpoint-family', 8, {}, ['fd00::1', pod]),
    weight: [weighted, { ...weightedSlice, metadata: weightMetadata }],
    'endpoint-forbidden': pair('endpoint-forbidden', 10, {}, ['127.0.0.1', pod]),
    good: pair('good', 11),
    malformed: [{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'no-spec', namespace: 'scenario' } }],
    broadcast: pair('endpoint-broadcast', 13, {}, [broadcast, pod]),
  };
}

const weightMetadata = {
  name: 'weight-ipv4',
  namespace: 'scenario',
  labels: { 'kubernetes.io/service-name': 'weight' },
  annotations: { 'sluice.dev/weight': 'heavy' },
};
