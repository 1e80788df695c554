import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Architecture, nodeVersion } from './architecture.ts';
import type { DebianPackage } from './debian.ts';

/** What is in an image. */
export interface Ingredients {
  readonly version: string;
  readonly architecture: Architecture;
  readonly packages: readonly DebianPackage[];
  /** Paths of the bundled modules, relative to `root`. */
  readonly modules: readonly string[];
  readonly root: string;
}

interface Component {
  readonly type: 'library' | 'platform' | 'application';
  readonly name: string;
  readonly version: string;
  readonly purl: string;
}

/** The bill of materials in CycloneDX 1.6: the bundled npm packages, Node and the Debian packages. The same for the same input. */
export async function billOfMaterials(ingredients: Ingredients): Promise<string> {
  const { version, architecture, packages } = ingredients;
  const debian = packages.map(({ name, version: of }): Component => {
    const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(of)}?arch=${architecture.name}&distro=debian-12`;
    return { type: 'library', name, version: of, purl };
  });
  const node: Component = {
    type: 'platform',
    name: 'node',
    version: nodeVersion,
    purl: `pkg:npm/node-linux-${architecture.node}@${nodeVersion}`,
  };
  const sluice: Component = { type: 'application', name: 'sluice', version, purl: `pkg:npm/sluice@${version}` };
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { ...sluice, 'bom-ref': sluice.purl } },
    components: [node, ...(await bundledPackages(ingredients)), ...debian].map((component) => ({
      ...component,
      'bom-ref': component.purl,
    })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

async function bundledPackages({ modules, root }: Ingredients): Promise<readonly Component[]> {
  const folders = new Set(
    modules.flatMap((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []),
  );
  const components = await Promise.all([...folders].map((folder) => componentIn(join(root, folder))));
  const byUrl = new Map(components.map((component) => [component.purl, component]));
  return [...byUrl.keys()].toSorted().flatMap((purl) => byUrl.get(purl) ?? []);
}

async function componentIn(folder: string): Promise<Component> {
  // npm installs no package without them.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { name, version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Component;
  return { type: 'library', name, version, purl: `pkg:npm/${name.replace('@', '%40')}@${version}` };
}
