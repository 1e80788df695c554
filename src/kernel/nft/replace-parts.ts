/**
 * What must go before the table's text can be loaded over what another version left: nft refuses a set that is there with
 * another type (EEXIST), and chains of another version would go on judging packets. It is put in front of the text, in the
 * same transaction: no packet meets a table without its rules, and the record of ownership is never without its elements.
 */

import type { NetlinkSocket } from '../netlink/socket.ts';
import { chainNames } from './chains.ts';
import { elementText } from './element-text.ts';
import { type FoundSet, isOfLayout, readChainNames, readSets } from './read-sets.ts';
import { readFoundSet } from './read-table.ts';
import { type SetLayout, setLayouts, tableName } from './set-layout.ts';
import { addSet, stampChain } from './skeleton.ts';

/** Text for nft, empty when nothing has to go. Throws KernelError. */
export function replacementText(socket: NetlinkSocket): string {
  const sets = [...readSets(socket).values()];
  const chains = readChainNames(socket);
  const gone = sets.filter((found) => layoutNamed(found.name) === undefined);
  const replaced = sets.filter((found) => {
    const layout = layoutNamed(found.name);
    return layout !== undefined && !isOfLayout(found, layout);
  });
  const ownChains: readonly string[] = [...chainNames, stampChain];
  if (gone.length === 0 && replaced.length === 0 && chains.every((name) => ownChains.includes(name))) return '';
  const table = `inet ${tableName}`;
  return [
    // Rules name sets and other chains, which cannot go before them.
    ...chains.map((name) => `flush chain ${table} ${name}`),
    ...chains.map((name) => `delete chain ${table} ${name}`),
    ...[...gone, ...replaced].map(({ name, isMap }) => `delete ${isMap ? 'map' : 'set'} ${table} ${name}`),
    ...replaced.flatMap((found) => madeAnew(socket, found)),
    '',
  ].join('\n');
}

function madeAnew(socket: NetlinkSocket, found: FoundSet): readonly string[] {
  const layout = layoutNamed(found.name);
  if (layout === undefined) return [];
  const elements = readFoundSet(socket, layout, found) ?? [];
  const list = elements.map(elementText).join(', ');
  const filled = list === '' ? [] : [`add element inet ${tableName} ${layout.name} { ${list} }`];
  return [addSet(layout), ...filled];
}

function layoutNamed(name: string): SetLayout | undefined {
  return setLayouts.find((layout) => layout.name === name);
}
