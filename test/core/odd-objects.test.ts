/** Objects as an API server may hold them, from their raw form to the kernel: what the node serves for each. */

import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../src/core/address.ts';
import type { FactChange } from '../../src/core/model/facts.ts';
import { countOperations } from '../../src/core/plan.ts';
import { projectEndpointSlice } from '../../src/kube/project/endpoint-slice.ts';
import { createIntern } from '../../src/kube/project/intern.ts';
import { projectService } from '../../src/kube/project/service.ts';
import { createIntake } from '../../src/kube/watch/intake.ts';
import { rawService, rawSlice } from '../kube/objects.ts';
import { drain } from '../support/drain.ts';
import { type FakePorts, fakePorts, reconcilerOn } from '../support/node-ports.ts';

interface Step {
  readonly put?: readonly object[];
  readonly remove?: readonly object[];
  /** Before what is put, unless told. */
  readonly removesLast?: boolean;
  /** Virtual servers with their destinations; those of node ports on one of the node's addresses. */
  readonly serves: readonly string[];
  readonly vips?: readonly string[];
  /** Kinds of operations that must not happen on the way. */
  readonly never?: readonly string[];
}

interface Case {
  readonly title: string;
  readonly steps: readonly Step[];
}

const web = rawService('web');
const slice = rawSlice('web-1');
const served = 'TCP 10.96.0.1:80 -> 10.1.0.2:8080';

function labelled(labels: object): object {
  return rawService('web', {}, { labels });
}

function endpoint(address: string, conditions: object = { ready: true }): object {
  return { addresses: [address], conditions };
}

const terminating = { ready: false, serving: true, terminating: true };

function once(title: string, put: readonly object[], serves: readonly string[], vips?: readonly string[]): Case {
  return { title, steps: [{ put, serves, ...(vips === undefined ? {} : { vips }) }] };
}

describe('not for this proxy', () => {
  it.each<Case>([
    once('a headless Service', [rawService('web', { clusterIP: 'None', clusterIPs: ['None'] }), slice], [], []),
    once('a Service without a ClusterIP yet', [rawService('web', { clusterIP: '', clusterIPs: [] }), slice], []),
    once('a Service with a blank ClusterIP (#112185)', [rawService('web', { clusterIP: '', clusterIPs: [''] })], []),
    once('ExternalName', [rawService('web', { type: 'ExternalName', clusterIP: '', clusterIPs: [] }), slice], []),
    once('ExternalName that kept its ClusterIP', [rawService('web', { type: 'ExternalName' }), slice], []),
    once('another proxy’s Service', [labelled({ 'service.kubernetes.io/service-proxy-name': 'other' }), slice], []),
    once('a proxy name that is empty', [labelled({ 'service.kubernetes.io/service-proxy-name': '' }), slice], []),
    once('a Service with the headless label', [labelled({ 'service.kubernetes.io/headless': '' }), slice], []),
    once(
      'a slice with the headless label',
      [
        web,
        rawSlice(
          'web-1',
          {},
          { labels: { 'kubernetes.io/service-name': 'web', 'service.kubernetes.io/headless': '' } },
        ),
      ],
      ['TCP 10.96.0.1:80 -> '],
    ),
    once(
      'a slice of names',
      [web, rawSlice('web-1', { addressType: 'FQDN', endpoints: [endpoint('a.example')] })],
      ['TCP 10.96.0.1:80 -> '],
    ),
    once('a slice of nobody', [web, rawSlice('web-1', {}, { labels: {} })], ['TCP 10.96.0.1:80 -> ']),
  ])('$title', live);

  it.each<Case>([
    noMore('another proxy takes it', labelled({ 'service.kubernetes.io/service-proxy-name': '' })),
    noMore('it becomes headless', labelled({ 'service.kubernetes.io/headless': '' })),
    noMore('it becomes ExternalName', rawService('web', { type: 'ExternalName' })),
  ])('any more: $title', live);
});

/** And then again. */
function noMore(title: string, after: object): Case {
  const steps = [
    { put: [web, slice], serves: [served], vips: ['10.96.0.1'] },
    { put: [after], serves: [], vips: [] },
    { put: [web], serves: [served], vips: ['10.96.0.1'] },
  ];
  return { title, steps };
}

function balanced(...ingress: readonly object[]): object {
  return { ...rawService('web', { type: 'LoadBalancer' }), status: { loadBalancer: { ingress } } };
}

describe('a load balancer', () => {
  const atVip = 'TCP 192.0.2.1:80 -> 10.1.0.2:8080';
  it.each<Case>([
    once(
      'with ipMode VIP or none',
      [balanced({ ip: '192.0.2.1' }, { ip: '192.0.2.2', ipMode: 'VIP' }), slice],
      [served, atVip, atVip.replace('2.1:80', '2.2:80')],
    ),
    once(
      'with ipMode Proxy (S18: probes from the VIP)',
      [balanced({ ip: '192.0.2.1', ipMode: 'Proxy' }), slice],
      [served],
      ['10.96.0.1'],
    ),
    once('that is a host name', [balanced({ hostname: 'lb.example' }), slice], [served], ['10.96.0.1']),
    once('that has no address yet', [balanced(), slice], [served]),
    {
      title: 'whose mode changes',
      steps: [
        { put: [balanced({ ip: '192.0.2.1' }), slice], serves: [served, atVip] },
        { put: [balanced({ ip: '192.0.2.1', ipMode: 'Proxy' })], serves: [served], vips: ['10.96.0.1'] },
        { put: [balanced({ ip: '192.0.2.1', ipMode: 'VIP' })], serves: [served, atVip] },
      ],
    },
  ])('$title', live);
});

const http8080 = [{ name: 'http', protocol: 'TCP', port: 8080 }];
const http9090 = [{ name: 'http', protocol: 'TCP', port: 9090 }];

describe('ports', () => {
  it.each<Case>([
    once(
      'that are named and differ per slice',
      [web, slice, rawSlice('web-2', { ports: http9090, endpoints: [endpoint('10.1.0.3')] })],
      [`${served} 10.1.0.3:9090`],
    ),
    once(
      'that are named and differ for one pod',
      [web, slice, rawSlice('web-2', { ports: http9090 })],
      [`${served} 10.1.0.2:9090`],
    ),
    once(
      'of one number in two protocols',
      [
        rawService('web', {
          ports: [
            { name: 'dns', protocol: 'UDP', port: 53 },
            { name: 'dns-tcp', protocol: 'TCP', port: 53 },
          ],
        }),
        rawSlice('web-1', {
          ports: [
            { name: 'dns', protocol: 'UDP', port: 5353 },
            { name: 'dns-tcp', protocol: 'TCP', port: 5300 },
          ],
        }),
      ],
      ['TCP 10.96.0.1:53 -> 10.1.0.2:5300', 'UDP 10.96.0.1:53 -> 10.1.0.2:5353'],
    ),
    once(
      'of one name in two protocols do not mix',
      [web, rawSlice('web-1', { ports: [{ name: 'http', protocol: 'UDP', port: 8080 }] })],
      ['TCP 10.96.0.1:80 -> '],
    ),
    once('that a slice lacks', [web, rawSlice('web-1', { ports: [] })], ['TCP 10.96.0.1:80 -> ']),
    once(
      'that are null in a slice',
      [web, rawSlice('web-1', { ports: [{ name: 'http', protocol: 'TCP', port: null }] })],
      ['TCP 10.96.0.1:80 -> '],
    ),
    once('of a Service that has none', [rawService('web', { ports: [] }), slice], []),
  ])('$title', live);
});

describe('endpoints', () => {
  const two = rawSlice('web-2', { endpoints: [endpoint('10.1.0.2', terminating)] });
  const moved = rawSlice('web-2', { endpoints: [endpoint('10.1.0.2')] });
  const empty = rawSlice('web-1', { endpoints: [] });
  it.each<Case>([
    once('in two slices count once', [web, slice, moved], [served]),
    once('that terminate in a later slice do not replace a ready one', [web, slice, two], [served]),
    once(
      'that terminate in an earlier slice give way to a ready one',
      [web, rawSlice('web-1', { endpoints: [endpoint('10.1.0.2', terminating)] }), moved],
      [served],
    ),
    {
      title: 'that move between slices in one batch lose nothing',
      steps: [
        { put: [web, slice], serves: [served] },
        { put: [moved, empty], serves: [served], never: ['edit-destination', 'remove-destination', 'add-destination'] },
        {
          put: [rawSlice('web-2', { endpoints: [] }), slice],
          serves: [served],
          never: ['edit-destination', 'remove-destination'],
        },
      ],
    },
    {
      title: 'that are there before their Service',
      steps: [
        { put: [slice], serves: [], vips: [] },
        { put: [web], serves: [served], vips: ['10.96.0.1'] },
      ],
    },
    {
      title: 'that outlive their Service',
      steps: [
        { put: [web, slice], serves: [served] },
        { remove: [web], serves: [], vips: [] },
        { put: [web], serves: [served] },
      ],
    },
    {
      title: 'of a slice that changes hands',
      steps: [
        { put: [web, rawService('other', at(2)), slice], serves: [served, 'TCP 10.96.0.2:80 -> '] },
        {
          put: [rawSlice('web-1', {}, { labels: { 'kubernetes.io/service-name': 'other' } })],
          serves: ['TCP 10.96.0.1:80 -> ', served.replace('0.1:80', '0.2:80')],
        },
      ],
    },
    once(
      'with leading zeros are decimal',
      [web, rawSlice('web-1', { endpoints: [endpoint('010.001.000.041')] })],
      ['TCP 10.96.0.1:80 -> 10.1.0.41:8080'],
    ),
    once(
      'that are mapped into IPv6 are IPv4',
      [web, rawSlice('web-1', { endpoints: [endpoint('::ffff:10.1.0.2')] })],
      [served],
    ),
    once(
      'at addresses that lead elsewhere are left out (CVE-2021-25737)',
      [
        web,
        rawSlice('web-1', {
          endpoints: ['127.0.0.1', '169.254.169.254', '224.0.0.1', '0.0.0.0', '10.1.0.2'].map((each) => endpoint(each)),
        }),
      ],
      [served],
    ),
  ])('$title', live);
});

function at(last: number): object {
  return { clusterIP: `10.96.0.${last}`, clusterIPs: [`10.96.0.${last}`] };
}

describe('a VIP that another Service takes over in one batch', () => {
  const other = rawService('other');
  const otherSlice = rawSlice(
    'other-1',
    { endpoints: [endpoint('10.1.0.9')] },
    { labels: { 'kubernetes.io/service-name': 'other' } },
  );
  const first: Step = { put: [web, slice, otherSlice], serves: [served], vips: ['10.96.0.1'] };
  const then: Step = {
    remove: [web],
    put: [other],
    serves: ['TCP 10.96.0.1:80 -> 10.1.0.9:8080'],
    vips: ['10.96.0.1'],
    never: ['remove-vip', 'remove-virtual-server'],
  };
  it.each<Case>([
    { title: 'stays, the old Service first', steps: [first, then] },
    { title: 'stays, the new Service first', steps: [first, { ...then, removesLast: true }] },
    {
      title: 'stays, and two Services exchange theirs',
      steps: [
        {
          put: [web, rawService('other', at(2)), slice, otherSlice],
          serves: [served, 'TCP 10.96.0.2:80 -> 10.1.0.9:8080'],
        },
        {
          put: [rawService('web', at(2)), rawService('other', at(1))],
          serves: ['TCP 10.96.0.1:80 -> 10.1.0.9:8080', 'TCP 10.96.0.2:80 -> 10.1.0.2:8080'],
          never: ['remove-vip', 'remove-virtual-server'],
        },
      ],
    },
  ])('$title', live);
});

describe('flips', () => {
  const ports = (fields: object): object => ({ ports: [{ name: 'http', protocol: 'TCP', port: 80, ...fields }] });
  const nodePort = 'TCP 192.168.0.1:30080 -> 10.1.0.2:8080';
  const v6 = rawSlice('web-6', { addressType: 'IPv6', endpoints: [endpoint('fd00:1::2')] });
  const family = (...addresses: readonly string[]): object => ({
    clusterIP: addresses[0],
    clusterIPs: addresses,
    ipFamilies: addresses.map((address) => (address.includes(':') ? 'IPv6' : 'IPv4')),
  });
  const served6 = 'TCP [fd00:96::1]:80 -> [fd00:1::2]:8080';
  it.each<Case>([
    {
      title: 'of the type',
      steps: [
        { put: [web, slice], serves: [served] },
        {
          put: [rawService('web', { type: 'NodePort', ...ports({ nodePort: 30_080 }) })],
          serves: [served, nodePort],
          never: ['remove-vip'],
        },
        { put: [balanced({ ip: '192.0.2.1' })], serves: [served, 'TCP 192.0.2.1:80 -> 10.1.0.2:8080'] },
        { put: [rawService('web', { type: 'ExternalName' })], serves: [], vips: [] },
        { put: [rawService('web', { clusterIP: 'None', clusterIPs: ['None'] })], serves: [], vips: [] },
        { put: [web], serves: [served], vips: ['10.96.0.1'] },
      ],
    },
    {
      title: 'of the port',
      steps: [
        { put: [web, slice], serves: [served] },
        {
          put: [rawService('web', ports({ port: 81 }))],
          serves: [served.replace(':80 ', ':81 ')],
          vips: ['10.96.0.1'],
          never: ['remove-vip'],
        },
      ],
    },
    {
      title: 'of the target port',
      steps: [
        { put: [web, slice], serves: [served] },
        {
          put: [rawSlice('web-1', { ports: http9090 })],
          serves: [served.replace(':8080', ':9090')],
          never: ['remove-virtual-server'],
        },
        { put: [rawSlice('web-1', { ports: http8080 })], serves: [served] },
      ],
    },
    {
      title: 'of the protocol',
      steps: [
        { put: [web, slice], serves: [served] },
        {
          put: [rawService('web', ports({ protocol: 'UDP' }))],
          serves: ['UDP 10.96.0.1:80 -> '],
          never: ['remove-vip'],
        },
        {
          put: [rawSlice('web-1', { ports: [{ name: 'http', protocol: 'UDP', port: 8080 }] })],
          serves: [served.replace('TCP', 'UDP')],
        },
      ],
    },
    {
      title: 'of the family',
      steps: [
        { put: [web, slice, v6], serves: [served] },
        {
          put: [rawService('web', family('10.96.0.1', 'fd00:96::1'))],
          serves: [served, served6],
          never: ['remove-vip'],
        },
        { put: [rawService('web', family('fd00:96::1'))], serves: [served6], vips: ['fd00:96::1'] },
        { put: [web], serves: [served], vips: ['10.96.0.1'] },
      ],
    },
    {
      title: 'of the ClusterIP (deleted and made anew)',
      steps: [
        { put: [web, slice], serves: [served] },
        { put: [rawService('web', at(2))], serves: [served.replace('0.1:80', '0.2:80')], vips: ['10.96.0.2'] },
      ],
    },
    {
      title: 'to something malformed change nothing',
      steps: [
        { put: [web, slice], serves: [served] },
        {
          put: [rawService('web', { type: 'Pigeon' }), rawSlice('web-1', { endpoints: 7 })],
          serves: [served],
          vips: ['10.96.0.1'],
        },
      ],
    },
  ])('$title', live);
});

/** Lives through the steps; after each the kernel holds what is expected and a second look finds nothing to do. */
async function live({ steps }: Pick<Case, 'steps'>): Promise<void> {
  const ports = await fakePorts();
  let now = 0;
  const reconciler = reconcilerOn(ports, { now: () => now });
  const cluster = openCluster();
  reconciler.changes(cluster.begin());
  reconciler.start();
  for (const step of steps) {
    const outcome = reconciler.changes(cluster.take(step));
    const done = [...(outcome?.execution.performed ?? [])].map(({ kind }) => kind);
    expect(done.filter((kind) => step.never?.includes(kind) === true)).toEqual([]);
    now += 60_000;
    drain(reconciler);
    expect(servedBy(ports)).toEqual([...step.serves].sort());
    const vips = ports.link.dumpVips().map(({ address }) => address);
    expect(vips).toEqual(step.vips ?? vips);
    expect(countOperations(reconciler.audit().plan)).toBe(0);
  }
}

interface Cluster {
  /** The complete lists: nothing. */
  readonly begin: () => readonly FactChange[];
  /** What one step brings, as one batch. */
  readonly take: (step: Step) => readonly FactChange[];
}

function openCluster(): Cluster {
  let batch: FactChange[] = [];
  const sink = { changes: (each: readonly FactChange[]): void => void batch.push(...each), problem: (): void => {} };
  const settings = { ownProxyNames: [], intern: createIntern() };
  const intakes = {
    Service: createIntake({ kind: 'Service', project: projectService, settings, sink }),
    EndpointSlice: createIntake({ kind: 'EndpointSlice', project: projectEndpointSlice, settings, sink }),
  };
  const intakeOf = (raw: object): (typeof intakes)['Service'] =>
    'kind' in raw && raw.kind === 'Service' ? intakes.Service : intakes.EndpointSlice;
  const handOver = (): readonly FactChange[] => {
    const all = batch;
    batch = [];
    return all;
  };
  const put = (list: readonly object[]): void => {
    for (const raw of list) {
      intakeOf(raw).put(raw, undefined);
      intakeOf(raw).flush();
    }
  };
  const remove = (list: readonly object[]): void => {
    for (const raw of list) {
      intakeOf(raw).remove(raw);
      intakeOf(raw).flush();
    }
  };
  return {
    begin: () => {
      for (const intake of Object.values(intakes)) {
        intake.beginList();
        intake.completeList();
        intake.flush();
      }
      return handOver();
    },
    take: (step) => {
      if (step.removesLast !== true) {
        remove(step.remove ?? []);
      }
      put(step.put ?? []);
      if (step.removesLast === true) {
        remove(step.remove ?? []);
      }
      return handOver();
    },
  };
}

/** `TCP 10.96.0.1:80 -> 10.1.0.2:8080`; of node ports those on the node's first address. */
function servedBy(ports: FakePorts): readonly string[] {
  const lines = ports.ipvs.dump().flatMap(({ server, destinations }) => {
    const { identity } = server;
    if (identity.kind !== 'address' || identity.address === 'fd00:100::1') {
      return [];
    }
    const to = destinations.map((each) => `${show(each.address)}:${each.port}`).sort();
    return [`${identity.protocol} ${show(identity.address)}:${identity.port} -> ${to.join(' ')}`];
  });
  return lines.sort();
}

function show(address: string): string {
  const canonical = parseAddress(address) ?? '';
  return canonical.includes(':') ? `[${canonical}]` : canonical;
}
