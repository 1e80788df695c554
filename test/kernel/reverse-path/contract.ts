import { afterEach, beforeEach, expect, it } from 'vitest';
import { isKernelError } from '../../../src/kernel/error.ts';
import type { ReversePathPort } from '../../../src/kernel/ports.ts';

/** A node with a pod at 10.1.0.2 behind `vp1` and one at 10.1.0.3 behind `vp2`. */
export interface ReversePathUnderTest {
  readonly port: ReversePathPort;
  readonly setAll: (value: number) => void;
  readonly valueOf: (name: string) => number | undefined;
  readonly remove: (name: string) => void;
  readonly close: () => void;
}

/** What every ReversePathPort does. */
export function testReversePathContract(open: () => ReversePathUnderTest): void {
  let under: ReversePathUnderTest;

  beforeEach(() => {
    under = open();
  });
  afterEach(() => under.close());

  it('finds the interface towards a pod, and sets it alone', () => {
    const { port } = under;
    under.setAll(1);
    const check = port.towards('10.1.0.2');
    expect(check).toMatchObject({ name: 'vp1', value: 0, all: 1 });
    port.set(check?.index ?? 0, 2);
    expect([under.valueOf('vp1'), under.valueOf('vp2')]).toEqual([2, 0]);
    expect(port.towards('10.1.0.2')).toMatchObject({ value: 2, all: 1 });
    expect(port.read({ index: check?.index ?? 0, name: 'vp1' })).toEqual({ ...check, value: 2 });
  });

  it('finds none for an address that only the default route leads to, or no route', () => {
    expect(under.port.towards('203.0.113.7')).toBeUndefined();
  });

  it('knows that an interface is gone', () => {
    const { port } = under;
    const index = port.towards('10.1.0.2')?.index ?? 0;
    expect(port.read({ index, name: 'vp9' })).toBeUndefined();
    under.remove('vp1');
    expect(port.read({ index, name: 'vp1' })).toBeUndefined();
    expect(codeOf(() => port.set(index, 2))).toBe('ENODEV');
  });
}

function codeOf(call: () => void): string {
  try {
    call();
    return 'no error';
  } catch (error) {
    return isKernelError(error) ? error.code : String(error);
  }
}
