import { describe, expect, it } from 'vitest';
import { requireNetAdmin } from '../../../src/app/host/require-capability.ts';

describe('requireNetAdmin', () => {
  it('takes a process with NET_ADMIN among others, or alone', () => {
    for (const effective of ['000001ffffffffff', '0000000000001000']) {
      expect(() => requireNetAdmin({ read: () => status(effective) })).not.toThrow();
    }
  });

  it('names what is missing, what was found and where to give it', () => {
    const others = { read: () => status('000001ffffffefff') };
    expect(() => requireNetAdmin(others)).toThrow(
      /^expected the capability NET_ADMIN, found .*0x000001ffffffefff.*securityContext\.capabilities\.add/,
    );
  });

  it('leaves it to the kernel where the capabilities cannot be read', () => {
    expect(() => requireNetAdmin({ read: () => undefined })).not.toThrow();
  });
});

function status(effective: string): string {
  return `Name:\tnode\nCapPrm:\t0000000000000000\nCapEff:\t${effective}\nCapBnd:\t000001ffffffffff\n`;
}
