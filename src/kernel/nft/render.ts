import { filterElementKey } from '../../core/keys.ts';
import { type FilterElement, isViewElement } from '../../core/model/filter-element.ts';

/** Elements as stable text, one a line: `inside_view TCP 192.0.2.1:80 mark 1001`, `vips 10.96.0.1`. */
export function renderElements(elements: readonly FilterElement[]): string {
  return elements.map(renderElement).sort().join('\n');
}

function renderElement(element: FilterElement): string {
  const mark = isViewElement(element) ? ` mark ${element.mark}` : '';
  const comment = 'comment' in element && element.comment !== undefined ? ` "${element.comment}"` : '';
  return `${filterElementKey(element)}${mark}${comment}`;
}
