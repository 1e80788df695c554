import { readFile } from 'node:fs/promises';

/** The plain manifest with the lines filled in that it marks with EDIT. Throws when one is not there. */
export async function manifestFor(values: { readonly server: string; readonly podRanges: string }): Promise<string> {
  const text = await readFile(new URL('../../daemonset/sluice.yaml', import.meta.url), 'utf8');
  return [
    [/--master=\S+/, `--master=${values.server}`] as const,
    [/--cluster-cidr=\S+/, `--cluster-cidr=${values.podRanges}`] as const,
  ].reduce((edited, [place, value]) => {
    if (!place.test(edited)) throw new Error(`daemonset/sluice.yaml: expected ${place}, found none`);
    return edited.replace(place, value);
  }, text);
}
