import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { directReturnFaults } from './direct-return.ts';
import { type Fault, faults, type Proof, traps } from './index.ts';
import { kubeRouterFaults } from './kube-router.ts';

const all: readonly Fault[] = [...faults, ...traps, ...kubeRouterFaults, ...directReturnFaults];

/** Every entry of the list of faults, and every issue that is one of its own there. */
const required: readonly string[] = [
  'S1 S2 S3 S4 S5 S6 S7 S8 S9 S10 S12 S13 S14 S15 S16 S17 S18',
  '#127410 #114815 #63241 #129147 18.2',
  '#70747 #81775 #99162 #92019 #108319 #71894 #71514 #125467 #120076',
  '#121591 #126378 18.4 #75502',
  '18.5 #133773 #88212 #100925 #135631 estimators',
  '#65006 #96449 #97343 moby/ipvs#27 #55857',
  '#88698 #62638 #119656 #65459 #112185',
].flatMap((line) => line.split(' '));

describe('the index of faults', () => {
  it('has each of them once', () => {
    expect([...faults, ...traps].map(({ id }) => id).sort()).toEqual([...required].sort());
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  it.each(all)('has a test or a reason for $id: $what', ({ proofs, remark }) => {
    expect(proofs.length > 0 || (remark !== undefined && remark.length > 20)).toBe(true);
  });

  it.each(all.filter(({ proofs }) => proofs.length > 0))('names tests that exist for $id', async ({ proofs }) => {
    const missing = await Promise.all(proofs.map(async (proof) => ((await isThere(proof)) ? [] : [proof.join(': ')])));
    expect(missing.flat()).toEqual([]);
  });

  it.each([...faults, ...traps].filter(({ proofs }) => proofs.length > 0))(
    'has a test that names $id itself',
    ({ id, proofs }) => {
      const pattern = new RegExp(`(^|[^\\w#/])${id.replaceAll('.', '\\.')}(?!\\d)`);
      expect(proofs.filter(([, title]) => pattern.test(title))).not.toEqual([]);
    },
  );
});

/** Whether the file has a test, or a group of tests, with this title. */
async function isThere([file, title]: Proof): Promise<boolean> {
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url));
  const source = await readFile(path, 'utf8').catch(() => '');
  const quoted = [`'${title.replaceAll("'", "\\'")}'`, `"${title}"`, `\`${title}\``];
  const lines = new Set(source.split('\n').map((line) => line.trim()));
  return quoted.some((text) => source.includes(`(${text},`) || lines.has(`${text},`));
}
