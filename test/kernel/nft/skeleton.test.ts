import { describe, expect, it } from 'vitest';
import { renderSkeleton } from '../../../src/kernel/nft/skeleton.ts';
import { skeleton } from './contract.ts';

describe('the text of the table', () => {
  it('names no address and no port: what depends on Services and Nodes is in sets', () => {
    const { text } = renderSkeleton(skeleton);
    expect(text).not.toMatch(/\d+\.\d+\.\d+\.\d+|[0-9a-f]*::|dport \d|sport \d/);
  });

  it('has the same rules whatever tells the pods', () => {
    const rules = [undefined, 'cni0', 'cali*'].map(
      (podInterface) => renderSkeleton({ ...skeleton, podInterface }).rules,
    );
    expect(new Set(rules).size).toBe(1);
    expect(renderSkeleton({ ...skeleton, podInterface: 'cali*' }).text).toContain('iifname "cali*"');
  });
});
