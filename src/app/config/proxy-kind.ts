import { type OtherProxy, otherProxies } from '../../core/leftovers/names.ts';
import type { ValueKind } from './value-kinds.ts';

/** Names of other service proxies. */
export const proxies: ValueKind<readonly OtherProxy[]> = {
  placeholder: 'PROXY,…',
  expected: `a list of ${otherProxies.join(' and ')}`,
  isList: true,
  parse: (text) => {
    const words = text === '' ? [] : text.split(',').map((word) => word.trim());
    const value = otherProxies.filter((proxy) => words.includes(proxy));
    return words.every((word) => otherProxies.some((proxy) => proxy === word))
      ? { ok: true, value }
      : { ok: false, remedy: `Write ${otherProxies.join(',')}, or one of them` };
  },
  format: (value) => value.join(','),
};
