import { type Expected, vipKey } from '../../../src/core/actual.ts';
import type { Vip } from '../../../src/core/model/vip.ts';
import { finish } from '../../../src/core/steps.ts';
import { type ExpectedVips, expectNoVips, fillExpectedVips } from '../../../src/kernel/link/expected-vips.ts';

/** What a reading is told of VIPs that are wanted. */
export function expecting(vips: readonly Vip[]): Expected['eachVip'] {
  return function* (visit) {
    for (const vip of vips) {
      visit(vipKey(vip.address), vip);
      yield;
    }
  };
}

/** What it makes of that. */
export function expectedVips(vips: readonly Vip[]): ExpectedVips {
  const expected = expectNoVips();
  finish(fillExpectedVips(expected, expecting(vips)));
  return expected;
}
