import { execaSync } from 'execa';
import { describe, expect, it } from 'vitest';
import { openFilter } from '../../../src/kernel/nft/open-filter.ts';
import type { FilterPort, FilterSkeleton } from '../../../src/kernel/ports.ts';
import { skeleton, testFilterContract } from './contract.ts';
import { listElements } from './nft-json.ts';

let count = 0;

describe("the kernel's table", () => {
  testFilterContract(() => {
    count += 1;
    const name = `filter-contract-${process.pid}-${count}`;
    const networkNamespace = `/run/netns/${name}`;
    execaSync('ip', ['netns', 'add', name]);
    const filter = openFilter({ networkNamespace });
    return {
      filter,
      check: () => expectAsNftSays(filter, networkNamespace),
      flushRuleset: () => execaSync('nsenter', [`--net=${networkNamespace}`, 'nft', 'flush', 'ruleset']),
      close: () => {
        filter.close();
        execaSync('ip', ['netns', 'delete', name]);
      },
    };
  });
});

describe('a set', () => {
  it('takes more than 65,536 elements, where an ipset is full (18.5)', async () => {
    const name = `filter-size-${process.pid}`;
    execaSync('ip', ['netns', 'add', name]);
    const filter = openFilter({ networkNamespace: `/run/netns/${name}` });
    await filter.ensureTable(skeleton);
    const operations = Array.from({ length: 70_000 }, (_, index) => {
      const address = `10.${96 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
      return { kind: 'add-element', element: { set: 'vips', address } } as const;
    });
    expect(filter.apply(operations)).toEqual({ failures: [], unknown: false });
    expect(filter.dump()).toHaveLength(operations.length);
    filter.close();
    execaSync('ip', ['netns', 'delete', name]);
  });
});

describe('the text of the table', () => {
  it('is loaded once, and again when it changed, in the configuration or by another hand', async () => {
    const name = `filter-text-${process.pid}`;
    const nft = (...words: string[]): string => execaSync('ip', ['netns', 'exec', name, 'nft', ...words]).stdout;
    const chains = (): string => nft('-a', 'list', 'chains');
    execaSync('ip', ['netns', 'add', name]);
    const load = async (wanted: FilterSkeleton): Promise<string> => {
      // As after a restart: nothing is remembered.
      const filter = openFilter({ networkNamespace: `/run/netns/${name}` });
      await filter.ensureTable(wanted);
      filter.close();
      return chains();
    };
    const first = await load(skeleton);
    expect(await load(skeleton)).toBe(first);
    const other = await load({ ...skeleton, podInterface: 'cni0' });
    expect(other).not.toBe(first);
    nft('flush', 'chain', 'inet', 'sluice', 'source_nat');
    expect(await load({ ...skeleton, podInterface: 'cni0' })).not.toBe(other);
    nft('delete', 'set', 'inet', 'sluice', 'virtual_servers4');
    await load({ ...skeleton, podInterface: 'cni0' });
    expect(nft('list', 'set', 'inet', 'sluice', 'virtual_servers4')).toContain('ipv4_addr');
    execaSync('ip', ['netns', 'delete', name]);
  });
});

function expectAsNftSays(filter: FilterPort, networkNamespace: string): void {
  const elements = filter.dump() ?? [];
  // nft takes seconds for long lists in user-mode Linux.
  if (elements.length > 100) return;
  expect(listElements(elements)).toEqual(nftElements(networkNamespace));
}

function nftElements(networkNamespace: string): readonly string[] {
  const { stdout } = execaSync('nsenter', [`--net=${networkNamespace}`, 'nft', '-j', 'list', 'ruleset']);
  return elementsOfRuleset(JSON.parse(stdout));
}

interface NftSet {
  readonly name: string;
  readonly elem?: readonly unknown[];
}

/** `SET KEY [: DATA] ["COMMENT"]` of every element that sluice changes. */
function elementsOfRuleset(ruleset: { readonly nftables: readonly Record<string, NftSet | undefined>[] }): string[] {
  return ruleset.nftables
    .map((each) => each['set'] ?? each['map'])
    .filter((set) => set !== undefined)
    .flatMap((set) => (set?.elem ?? []).map((element) => `${set?.name} ${elementText(element)}`))
    .sort();
}

function elementText(element: unknown): string {
  if (Array.isArray(element)) return element.map(elementText).join(' : ');
  if (typeof element !== 'object' || element === null) return String(element);
  if ('concat' in element && Array.isArray(element.concat)) return element.concat.map(elementText).join(' . ');
  if ('prefix' in element) {
    const { prefix } = element as { readonly prefix: { readonly addr: string; readonly len: number } };
    return `${prefix.addr}/${prefix.len}`;
  }
  if ('elem' in element) {
    const { elem } = element as { readonly elem: { readonly val: unknown; readonly comment?: string } };
    return elem.comment === undefined ? elementText(elem.val) : `${elementText(elem.val)} "${elem.comment}"`;
  }
  return JSON.stringify(element);
}
