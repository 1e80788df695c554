/** A table that another version left behind: with sets of another type, sets that are missing, sets and chains too many. */

import { execaSync } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FilterElement } from '../../../src/core/model/filter-element.ts';
import { openFilter } from '../../../src/kernel/nft/open-filter.ts';
import { renderElements } from '../../../src/kernel/nft/render.ts';
import type { FilterPort } from '../../../src/kernel/ports.ts';
import { add, oneOfEach, skeleton } from './contract.ts';

let count = 0;
let name = '';
let filter: FilterPort;

function open(): FilterPort {
  return openFilter({ networkNamespace: `/run/netns/${name}` });
}

function nft(...words: readonly string[]): string {
  return execaSync('ip', ['netns', 'exec', name, 'nft', ...words]).stdout;
}

/** Puts a set of another type in the place of one that no rule names, or that no rule names any more. */
function replaceSet(set: string, type: string, elements = ''): void {
  nft(`delete set inet sluice ${set}; add set inet sluice ${set} { type ${type}; ${elements} }`);
}

beforeEach(async () => {
  count += 1;
  name = `filter-older-${process.pid}-${count}`;
  execaSync('ip', ['netns', 'add', name]);
  filter = open();
  await filter.ensureTable(skeleton);
  filter.apply(oneOfEach.map(add));
  for (const chain of ['before_ipvs', 'before_ipvs_from_node', 'source_nat', 'unmark']) {
    nft('flush', 'chain', 'inet', 'sluice', chain);
  }
  filter.close();
  filter = open();
});

afterEach(() => {
  filter.close();
  execaSync('ip', ['netns', 'delete', name]);
});

describe('a table of another version', () => {
  it('keeps what it says when its sets have the same fields in another order, or one field less', async () => {
    replaceSet(
      'virtual_servers4',
      'inet_proto . ipv4_addr . inet_service',
      'elements = { tcp . 10.96.0.1 . 80 comment "default/web:http" };',
    );
    replaceSet('hairpin6', 'ipv6_addr', 'elements = { fd00:1::2 };');
    expect(filter.dump(['virtual_servers'])).toContainEqual(oneOfEach[0]);
    await filter.ensureTable(skeleton);
    expect(renderElements(filter.dump() ?? [])).toBe(renderElements(oneOfEach));
    expect(nft('list', 'set', 'inet', 'sluice', 'virtual_servers4')).toContain(
      'type ipv4_addr . inet_proto . inet_service',
    );
  });

  it('loses only the sets that cannot be understood', async () => {
    replaceSet('drop4', 'ipv4_addr . inet_service', 'elements = { 10.96.0.3 . 80 };');
    nft('flush', 'chain', 'inet', 'sluice', 'after_ipvs');
    replaceSet('vips6', 'ether_addr', 'elements = { 02:00:00:00:00:01 };');
    expect(filter.dump(['vips'])).toBeUndefined();
    await filter.ensureTable(skeleton);
    const lost = (element: FilterElement): boolean =>
      'address' in element &&
      ((element.set === 'drop' && element.address === '10.96.0.3') ||
        (element.set === 'vips' && element.address === 'fd00:96::1'));
    expect(renderElements(filter.dump() ?? [])).toBe(renderElements(oneOfEach.filter((each) => !lost(each))));
  });

  it('has a map in the place of a set', async () => {
    nft('delete set inet sluice drop_outside6');
    nft('add map inet sluice drop_outside6 { type ipv6_addr . inet_proto . inet_service : mark; }');
    await filter.ensureTable(skeleton);
    expect(nft('list', 'set', 'inet', 'sluice', 'drop_outside6')).toContain('set drop_outside6');
    expect(filter.dump()).toHaveLength(oneOfEach.length - 1);
  });

  it('gets rid of chains and sets that this one does not have, with the rules in them', async () => {
    nft(`table inet sluice {
      set cluster_cidr4 { type ipv4_addr; flags interval; elements = { 10.1.0.0/16 }; }
      chain helper { tcp dport { 7, 9 } drop; }
      chain old { type filter hook forward priority 0; ip saddr @cluster_cidr4 jump helper; }
    }`);
    await filter.ensureTable(skeleton);
    expect(nft('list', 'table', 'inet', 'sluice')).not.toMatch(/chain old|chain helper|cluster_cidr/);
    expect(renderElements(filter.dump() ?? [])).toBe(renderElements(oneOfEach));
  });

  it('keeps its chains until the sets that it lacks could be filled', async () => {
    const named = (set: string) => oneOfEach.filter((each) => each.set === set);
    const others = oneOfEach.filter(({ set }) => set !== 'restricted');
    nft('delete set inet sluice restricted4; delete set inet sluice restricted6');
    nft('add chain inet sluice old { type filter hook forward priority 0; }');
    expect(await filter.ensureTable(skeleton, { fillsFirst: true })).toBe('to-be-filled');
    expect(nft('list', 'chains')).toContain('chain old');
    expect(renderElements(filter.dump() ?? [])).toBe(renderElements(others));
    filter.apply(named('restricted').map(add));
    expect(await filter.ensureTable(skeleton)).toBe('loaded');
    expect(nft('list', 'chains')).not.toContain('chain old');
    expect(renderElements(filter.dump() ?? [])).toBe(renderElements(oneOfEach));
  });

  it('is loaded at once where one of its sets is of another type, which its chains would not let go', async () => {
    nft('delete set inet sluice restricted4');
    replaceSet('hairpin6', 'ipv6_addr', 'elements = { fd00:1::2 };');
    expect(await filter.ensureTable(skeleton, { fillsFirst: true })).toBe('loaded');
  });

  it('tells of the sets that it has when others are missing', async () => {
    nft('delete', 'set', 'inet', 'sluice', 'restricted6');
    expect(filter.dump()).toBeUndefined();
    expect(filter.dump(['virtual_servers', 'fwmarks', 'vips'])).toHaveLength(6);
    await filter.ensureTable(skeleton);
    expect(filter.dump()).toHaveLength(oneOfEach.length - 1);
  });

  it('is not loaded again once it is as it should be', async () => {
    replaceSet('virtual_servers4', 'inet_proto . ipv4_addr . inet_service');
    await filter.ensureTable(skeleton);
    const chains = nft('-a', 'list', 'chains');
    await filter.ensureTable(skeleton);
    expect(nft('-a', 'list', 'chains')).toBe(chains);
  });
});
