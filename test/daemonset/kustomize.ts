/** The kustomize base, what is added to it, and overlays that add one thing each, all out of `sluice manifest`. */

import { stringify } from 'yaml';
import { wrap } from '../../src/cli/layout.ts';
import { manifestCommand, manifestObjects } from '../support/manifest-command.ts';
import { jsonPatch } from './json-patch.ts';

/** One thing that may be added to the base, and to other components. */
export interface Component {
  readonly name: string;
  /** Paragraphs. */
  readonly text: readonly string[];
  readonly flags: readonly string[];
}

const addressRanges = ['--service-external-ip-range=198.51.100.0/24', '--loadbalancer-ip-range=203.0.113.0/24'];

/** In the order of the flags that they add. */
export const components: readonly Component[] = [
  {
    name: 'dual-stack',
    text: ['Pods and Services with addresses of both families. EDIT: where pods have them.'],
    flags: ['--cluster-cidr=10.244.0.0/16,fd00:10:244::/56'],
  },
  {
    name: 'audit-addresses',
    text: [
      'External and load-balancer IPs outside these ranges are served and reported: by Events, metrics and "sluice plan". The first step to strict-addresses: take one of the two. EDIT: the ranges.',
    ],
    flags: addressRanges,
  },
  {
    name: 'strict-addresses',
    text: [
      'External and load-balancer IPs outside these ranges are refused. audit-addresses tells first which those are. EDIT: the ranges.',
    ],
    flags: [...addressRanges, '--strict-external-ip-validation'],
  },
  {
    name: 'route-mode',
    text: ['VIPs as local routes alone: much faster with thousands of them, but "ip address" does not show them.'],
    flags: ['--vip-mode=route'],
  },
  {
    name: 'dsr',
    text: [
      'Direct server return. docs/direct-server-return.md tells why each part is needed. EDIT for CRI-O: /run/crio instead of /run/containerd, in both places.',
      'Without kustomize: kubectl -n kube-system patch daemonset sluice --type=json --patch-file=patch.yaml',
    ],
    flags: ['--direct-return'],
  },
  {
    name: 'strict-arp',
    text: ['ARP is answered only for addresses of the interface that is asked, as MetalLB needs in layer 2 mode.'],
    flags: ['--ipvs-strict-arp'],
  },
];

/** By their paths below daemonset/. */
export async function kustomizeFiles(): Promise<readonly (readonly [path: string, text: string])[]> {
  const { stdout } = await manifestCommand();
  const patches = await Promise.all(components.map(patchText));
  return [
    ['kustomize/base/sluice.yaml', stdout],
    [
      'kustomize/base/kustomization.yaml',
      comment(['sluice.yaml is that of the folder daemonset. Another image is named under "images" of an overlay.']) +
        stringify({ ...kind('Kustomization', 'v1beta1'), resources: ['sluice.yaml'] }),
    ],
    ...components.flatMap((component, index) => filesOf(component, patches[index] ?? '')),
  ];
}

function filesOf({ name, text }: Component, patch: string): readonly (readonly [path: string, text: string])[] {
  const target = { kind: 'DaemonSet', name: 'sluice' };
  const folder = `kustomize/components/${name}`;
  return [
    [`${folder}/patch.yaml`, comment(text) + patch],
    [
      `${folder}/kustomization.yaml`,
      stringify({ ...kind('Component', 'v1alpha1'), patches: [{ path: 'patch.yaml', target }] }),
    ],
    [
      `kustomize/overlays/${name}/kustomization.yaml`,
      stringify({
        ...kind('Kustomization', 'v1beta1'),
        resources: ['../../base'],
        components: [`../../components/${name}`],
      }),
    ],
  ];
}

async function patchText({ flags }: Component): Promise<string> {
  const [before, after] = await Promise.all([daemonSet(), daemonSet(...flags)]);
  return stringify(jsonPatch(before, after), { lineWidth: 0, aliasDuplicateObjects: false });
}

async function daemonSet(...flags: readonly string[]) {
  const found = (await manifestObjects(...flags)).find((object) => object['kind'] === 'DaemonSet');
  if (found === undefined) throw new Error('sluice manifest prints no DaemonSet');
  return found;
}

function kind(name: 'Kustomization' | 'Component', version: 'v1beta1' | 'v1alpha1') {
  return { apiVersion: `kustomize.config.k8s.io/${version}`, kind: name };
}

function comment(paragraphs: readonly string[]): string {
  return paragraphs
    .flatMap((paragraph) => wrap(paragraph, 118))
    .map((line) => `# ${line}\n`)
    .join('');
}
