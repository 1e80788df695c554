import { buildAddon } from './addon.ts';
import { buildBundle } from './bundle.ts';

/** Builds what is shipped: the native addon and the bundle. Tells each by one line. What is up to date is left alone. */
export async function build(tell: (line: string) => void): Promise<void> {
  tell(await buildAddon());
  tell(await buildBundle());
}
