import type { VipState } from '../../core/model/vip.ts';

/** VIPs as stable text, one a line: `10.96.0.1 on-interface routed source 192.0.2.10`; a steered one says so. */
export function renderVips(vips: readonly VipState[]): string {
  return vips
    .map((vip) => {
      const parts = [vip.address];
      if (vip.onInterface) parts.push('on-interface');
      if (vip.routed) parts.push('routed');
      if (vip.isSteered === true) parts.push('steered');
      if (vip.source !== undefined) parts.push(`source ${vip.source}`);
      return parts.join(' ');
    })
    .sort()
    .join('\n');
}
