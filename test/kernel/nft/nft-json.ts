import type { FilterElement } from '../../../src/core/model/filter-element.ts';

/** Elements as `nft -j list ruleset` has them: `SET KEY [: DATA] ["COMMENT"]`, sorted. */
export function listElements(elements: readonly FilterElement[]): readonly string[] {
  return elements.map(line).sort();
}

function line(element: FilterElement): string {
  const comment = 'comment' in element && element.comment !== undefined ? ` "${element.comment}"` : '';
  if (element.set === 'fwmarks') return `fwmarks${element.family === 'IPv4' ? 4 : 6} ${element.mark}${comment}`;
  if (!('address' in element)) {
    return `${element.set}${element.range.includes(':') ? 6 : 4} ${element.range.replace(/\/(32|128)$/, '')}`;
  }
  const name = `${element.set}${element.address.includes(':') ? 6 : 4}`;
  if (element.set === 'vips') return `${name} ${element.address}`;
  if (!('port' in element)) return `${name} ${element.address} . ${element.address}`;
  const key = `${element.address} . ${element.protocol.toLowerCase()} . ${element.port}`;
  if (element.set === 'allowed_sources') return `${name} ${key} . ${element.range.replace(/\/(32|128)$/, '')}`;
  const data = element.set === 'inside_view' ? ` : ${element.mark}` : '';
  return `${name} ${key}${data}${comment}`;
}
