/** Hands the table's text to nft. The only program that a running agent starts, and only when the table is (re)made. */

import { programOutcome } from '../program.ts';

/** nft is missing or refused the text. */
export class NftError extends Error {
  override readonly name = 'NftError';
  readonly code: 'nft-missing' | 'nft-refused';

  constructor(code: NftError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Loads `text` in one transaction. `networkNamespace` is for tests. Rejects with NftError; then nothing changed. */
export async function loadSkeleton(text: string, networkNamespace?: string): Promise<void> {
  const outcome = await programOutcome('nft', ['-f', '-'], { input: text, networkNamespace });
  switch (outcome.kind) {
    case 'done':
      return;
    case 'missing':
      throw new NftError(
        'nft-missing',
        `expected the program ${outcome.file} in PATH, which loads the nftables table, found none; install the package nftables, or run sluice from its image`,
      );
    case 'refused':
      throw new NftError('nft-refused', `nft refused the table: ${outcome.said}`);
  }
}
