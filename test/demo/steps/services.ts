import { setTimeout as sleep } from 'node:timers/promises';
import { type ObservedVirtualServer, readVirtualServers } from '../../lab/state/ipvs.ts';
import type { Family } from '../../lab/world/places.ts';
import type { World } from '../../lab/world.ts';
import type { FrontendManifest, Manifests, ServiceManifest } from '../manifests.ts';
import { families, formatTarget } from '../place.ts';
import { type Check, line, type StepResult, table } from '../step.ts';
import type { Stage } from './stage.ts';

/** What each Service must look like on node1. Under policy Local a client outside reaches only the pods of the node. */
const expectations: Readonly<
  Record<string, { readonly scheduler: string; readonly inside: string; readonly outside: string }>
> = {
  'shop/chat': { scheduler: 'lc', inside: 'web-0 web-1 web-2', outside: 'web-0 web-1 web-2' },
  'shop/dns': { scheduler: 'rr', inside: 'dns-0 dns-1', outside: 'dns-0' },
  'shop/session': { scheduler: 'sh', inside: 'web-0 web-1 web-2', outside: 'web-0 web-1 web-2' },
  'shop/web': { scheduler: 'rr', inside: 'web-0 web-1 web-2', outside: 'web-0 web-1 web-2' },
};

/** The Services as the kernel of node1 has them, with the names that the manifests give to addresses. */
export async function showServices({ manifests, world }: Stage): Promise<StepResult> {
  const servers = await settledServers(manifests, world);
  const rows = manifests.services.flatMap((service) =>
    families.map((family) => row(service, family, servers, manifests)),
  );
  const head = ['Service', 'ClusterIP', 'NodePort', 'external IP', 'load balancer', 'scheduler', 'backends'];
  return {
    title: 'Services as the kernel of node1 has them (ipvsadm; names from the manifests)',
    blocks: [
      table(head, rows),
      line('* the only one for clients outside: externalTrafficPolicy Local; clients in the cluster reach both'),
    ],
    checks: [
      ...manifests.services.flatMap((service) => checks(service, servers, manifests)),
      insideViews(servers, manifests),
    ],
  };
}

/** The agent says that it is healthy when it is; the table may need a moment more after a change of its folder. */
async function settledServers(manifests: Manifests, world: World): Promise<readonly ObservedVirtualServer[]> {
  const wanted = manifests.services.reduce((sum, service) => sum + service.frontends.length, 0);
  let servers = await readVirtualServers(world.node('node1'));
  for (let attempt = 0; attempt < 20 && servers.length < wanted; attempt += 1) {
    await sleep(100);
    servers = await readVirtualServers(world.node('node1'));
  }
  return servers;
}

function row(
  service: ServiceManifest,
  family: Family,
  servers: readonly ObservedVirtualServer[],
  manifests: Manifests,
): readonly string[] {
  const frontends = service.frontends.filter((frontend) => frontend.family === family);
  const found = frontends.map((frontend) => ({ frontend, server: serverOf(frontend, servers) }));
  const cell = (kind: FrontendManifest['kind']): string => {
    const entry = found.find(({ frontend }) => frontend.kind === kind);
    if (entry === undefined) return '';
    if (entry.server === undefined) return 'missing';
    return kind === 'NodePort' ? `:${entry.frontend.port}` : entry.frontend.address;
  };
  const [first] = frontends;
  return [
    family === 'IPv4' ? service.name : `  ${service.protocol} ${first?.port ?? ''}`,
    cell('ClusterIP'),
    cell('NodePort'),
    cell('external IP'),
    cell('load balancer'),
    [...new Set(found.map(({ server }) => server?.scheduler ?? ''))].join(' '),
    backends(found.map(({ server }) => podsBehind(server, manifests))),
  ];
}

/** All pods behind any of the frontends, with a star at those behind all, where that makes a difference. */
function backends(behind: readonly (readonly string[])[]): string {
  const all = [...new Set(behind.flat())].sort();
  const everywhere = all.filter((pod) => behind.every((pods) => pods.includes(pod)));
  return all.map((pod) => (everywhere.length < all.length && everywhere.includes(pod) ? `${pod}*` : pod)).join(' ');
}

function checks(
  service: ServiceManifest,
  servers: readonly ObservedVirtualServer[],
  manifests: Manifests,
): readonly Check[] {
  const expectation = expectations[service.name];
  return service.frontends.map((frontend) => {
    const server = serverOf(frontend, servers);
    const pods = frontend.kind === 'ClusterIP' ? expectation?.inside : expectation?.outside;
    return {
      what: `${service.name} at ${frontend.kind} ${formatTarget(frontend)}`,
      expected: `${expectation?.scheduler ?? ''} to ${pods ?? ''}`,
      found:
        server === undefined
          ? 'no virtual server'
          : `${server.scheduler} to ${podsBehind(server, manifests).join(' ')}`,
    };
  });
}

/** Policy Local gives clients in the cluster a view of their own: a virtual server by firewall mark for each family. */
function insideViews(servers: readonly ObservedVirtualServer[], manifests: Manifests): Check {
  const views = servers.filter((server) => server.service.startsWith('FWM'));
  return {
    what: 'the view that clients in the cluster have of shop/dns, IPv4 and IPv6',
    expected: 'rr to dns-0 dns-1, rr to dns-0 dns-1',
    found: views.map((view) => `${view.scheduler} to ${podsBehind(view, manifests).join(' ')}`).join(', '),
  };
}

function serverOf(
  frontend: FrontendManifest,
  servers: readonly ObservedVirtualServer[],
): ObservedVirtualServer | undefined {
  return servers.find((server) => server.service === formatTarget(frontend));
}

function podsBehind(server: ObservedVirtualServer | undefined, manifests: Manifests): readonly string[] {
  const names =
    server?.destinations.map(
      ({ address }) => manifests.podOf(address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')) ?? address,
    ) ?? [];
  return [...names].sort();
}
