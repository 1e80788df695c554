/** Comments as nft and libnftnl write them into the user data of elements and chains: type, length, text with a NUL. */

import { NFTNL_UDATA_COMMENT } from './constants.ts';

/** User data is what some program wrote: anything but a comment as nft writes it is no comment. */
export function readComment(bytes: Buffer): string | undefined {
  let at = 0;
  while (at + 2 <= bytes.length) {
    const length = bytes[at + 1] ?? 0;
    const end = at + 2 + length;
    if (end > bytes.length) return undefined;
    if (bytes[at] === NFTNL_UDATA_COMMENT && length > 0) return bytes.toString('utf8', at + 2, end - 1);
    at = end;
  }
  return undefined;
}
