import { type FrontendKind, type FrontendManifest, frontendKinds, type ServiceManifest } from '../manifests.ts';
import { type Check, type StepResult, table } from '../step.ts';
import type { Outcome } from '../traffic/conversation.ts';
import { type Family, families } from '../traffic/place.ts';
import { addresses } from '../world.ts';
import { sources, tally } from './outcomes.ts';
import type { Stage } from './stage.ts';

/** Requests in every way there is, over TCP and UDP: who answers, and which source address it sees. */
export async function sendRequests(stage: Stage): Promise<StepResult> {
  const rows: (readonly string[])[] = [];
  const checks: Check[] = [];
  for (const kind of frontendKinds) {
    for (const family of families) {
      const web = await ask(stage, { service: 'shop/web', kind, family, count: 6 });
      const dns = await ask(stage, { service: 'shop/dns', kind, family, count: 4 });
      rows.push([
        family === 'IPv4' ? kind : '',
        family === 'IPv4' ? (kind === 'ClusterIP' ? 'a pod' : 'outside') : '',
        pods(web),
        seen(web),
        pods(dns),
        seen(dns),
      ]);
      checks.push(...checkWeb(kind, family, web), ...checkDNS(kind, family, dns));
    }
  }
  return {
    title: 'Requests to node1: who answers, and the source address it sees (6 over TCP, 4 over UDP each)',
    blocks: [table(['through', 'from', 'shop/web, TCP', 'saw', 'shop/dns, UDP', 'saw'], rows)],
    checks,
  };
}

interface Question {
  readonly service: string;
  readonly kind: FrontendKind;
  readonly family: Family;
  readonly count: number;
}

async function ask({ world, manifests }: Stage, question: Question): Promise<readonly Outcome[]> {
  const service = manifests.services.find(({ name }) => name === question.service);
  const frontend = service?.frontends.find(({ kind, family }) => kind === question.kind && family === question.family);
  if (service === undefined || frontend === undefined) {
    throw new Error(`the manifests give ${question.service} no ${question.kind} in ${question.family}`);
  }
  return world.peer(question.kind === 'ClusterIP' ? 'toolbox' : 'client').ask(order(service, frontend, question.count));
}

function order({ protocol }: ServiceManifest, { address, port }: FrontendManifest, count: number) {
  return { protocol, address, port, count };
}

/** A pod keeps its address; who comes from outside appears as the node, so that the answer finds the way back. */
function checkWeb(kind: FrontendKind, family: Family, outcomes: readonly Outcome[]): readonly Check[] {
  const source = kind === 'ClusterIP' ? 'toolbox' : 'node1';
  return [
    check(`pods of shop/web through ${kind} ${family}`, 'web-0 2  web-1 2  web-2 2', tally(outcomes)),
    check(`source seen by shop/web through ${kind} ${family}`, addresses[source][family], sources(outcomes).join(' ')),
  ];
}

/** Policy Local: a client outside keeps its address and reaches pods of the node it came to. */
function checkDNS(kind: FrontendKind, family: Family, outcomes: readonly Outcome[]): readonly Check[] {
  const source = kind === 'ClusterIP' ? 'toolbox' : 'client';
  const answering = kind === 'ClusterIP' ? 'dns-0 2  dns-1 2' : 'dns-0 4';
  return [
    check(`pods of shop/dns through ${kind} ${family}`, answering, tally(outcomes)),
    check(`source seen by shop/dns through ${kind} ${family}`, addresses[source][family], sources(outcomes).join(' ')),
  ];
}

function check(what: string, expected: string, found: string): Check {
  return { what, expected, found };
}

function pods(outcomes: readonly Outcome[]): string {
  const failures = outcomes.filter((outcome) => 'failure' in outcome).length;
  const names = [...new Set(outcomes.flatMap((outcome) => ('pod' in outcome ? [outcome.pod] : [])))].sort();
  return [...names, ...(failures > 0 ? [`${failures} failed`] : [])].join(' ');
}

/** `client 203.0.113.2`: whose address it is, and the address. */
function seen(outcomes: readonly Outcome[]): string {
  return sources(outcomes)
    .map((source) => `${ownerOf(source)} ${source}`)
    .join(', ');
}

function ownerOf(address: string): string {
  const owners = Object.entries(addresses).find(([, { IPv4, IPv6 }]) => address === IPv4 || address === IPv6);
  return owners?.[0] ?? 'unknown';
}
