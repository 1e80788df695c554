import { manifestCommand } from '../support/manifest-command.ts';
import { chartFiles } from './chart/chart.ts';
import { kustomizeFiles } from './kustomize.ts';

/** Every file of the folder daemonset, by its path below it. All are made out of `sluice manifest`. */
export async function daemonsetFiles(): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await manifestCommand();
  return new Map([['sluice.yaml', stdout], ...(await kustomizeFiles()), ...(await chartFiles())]);
}
