/** Hands the table's text to nft. The only program that a running agent starts, and only when the table is (re)made. */

import { execa } from 'execa';

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
  const nft = ['nft', '-f', '-'] as const;
  const [program, ...rest] = networkNamespace === undefined ? nft : ['nsenter', `--net=${networkNamespace}`, ...nft];
  const result = await execa(program, rest, { input: text, reject: false });
  if (!result.failed) return;
  if (result.code === 'ENOENT') {
    throw new NftError(
      'nft-missing',
      `expected the program ${program} in PATH, which loads the nftables table, found none; install the package nftables, or run sluice from its image`,
    );
  }
  throw new NftError(
    'nft-refused',
    `nft refused the table: ${result.stderr === '' ? result.shortMessage : result.stderr.trim()}`,
  );
}
