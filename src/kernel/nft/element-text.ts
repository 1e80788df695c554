/** Elements as nft reads them: for sets that are made anew. Elements change through netlink otherwise. */

import { type FilterElement, isViewElement } from '../../core/model/filter-element.ts';
import { protocolNumber } from './set-layout.ts';

/** One element between the braces of `add element`. */
export function elementText(element: FilterElement): string {
  const comment = 'comment' in element && isPlain(element.comment) ? ` comment "${element.comment}"` : '';
  const data = isViewElement(element) ? ` : ${element.mark}` : '';
  return `${keyText(element)}${comment}${data}`;
}

function keyText(element: FilterElement): string {
  switch (element.set) {
    case 'vips':
    case 'direct_return':
      return element.address;
    case 'hairpin':
      return `${element.address} . ${element.address}`;
    case 'fwmarks':
      return String(element.mark);
    case 'pod_sources':
    case 'service_ranges':
      return element.range;
    case 'allowed_sources':
      return `${frontendText(element)} . ${element.range}`;
    default:
      return frontendText(element);
  }
}

/** A protocol by its number: its name is looked up in /etc/protocols, which an image may lack. */
function frontendText({ address, protocol, port }: Extract<FilterElement, { readonly port: number }>): string {
  return `${address} . ${protocolNumber(protocol)} . ${port}`;
}

/** Whether nft takes it between quotes as it is; names of Services and ports are. */
function isPlain(comment: string | undefined): comment is string {
  return comment !== undefined && /^[\w./:-]{1,127}$/.test(comment);
}
