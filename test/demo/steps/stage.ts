import type { World } from '../../lab/world.ts';
import type { Sluice } from '../agent.ts';
import type { Manifests } from '../manifests.ts';

/** What every step plays with. */
export interface Stage {
  readonly world: World;
  readonly sluice: Sluice;
  readonly manifests: Manifests;
  /** The folder of manifests that the agents watch. */
  readonly folder: string;
}
