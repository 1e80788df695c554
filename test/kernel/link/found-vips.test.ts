import fc from 'fast-check';
import { expect, it } from 'vitest';
import { vipKey } from '../../../src/core/actual.ts';
import type { Vip, VipState } from '../../../src/core/model/vip.ts';
import { finish } from '../../../src/core/steps.ts';
import type { HostRoute } from '../../../src/kernel/link/decode-route.ts';
import { type ExpectedVips, expectNoVips, positionOf } from '../../../src/kernel/link/expected-vips.ts';
import {
  foundNothing,
  noteAddress,
  noteLocalRoute,
  noteSteeredRoute,
  statesOf,
} from '../../../src/kernel/link/found-vips.ts';
import { expectedVips } from './expecting.ts';

/** What the kernel tells, in its order: addresses, then local routes, then those of steered VIPs. */
interface Told {
  readonly addresses: readonly string[];
  readonly routes: readonly Pick<HostRoute, 'address' | 'source' | 'protocol'>[];
  readonly steered: readonly { readonly address: string; readonly isComplete: boolean }[];
}

const address = fc.constantFrom('10.96.0.1', '10.96.0.2', 'fd00:96::1', 'fd00:96::2');
const source = fc.constantFrom('192.0.2.1', '192.0.2.2', '2001:db8::1', undefined);
const [ours, kernels, anothers] = [115, 2, 3];
const told: fc.Arbitrary<Told> = fc.record({
  addresses: fc.uniqueArray(address),
  routes: fc.array(fc.record({ address, source, protocol: fc.constantFrom(ours, ours, kernels, anothers) }), {
    maxLength: 8,
  }),
  steered: fc.uniqueArray(fc.record({ address, isComplete: fc.boolean() }), { selector: (each) => each.address }),
});
const wanted: fc.Arbitrary<readonly Vip[]> = fc.uniqueArray(fc.record({ address, source }), {
  selector: (vip) => vip.address,
});

it('what is expected is found in place as it is found without, in whatever order the kernel tells of routes', () => {
  let inPlace = 0;
  fc.assert(
    fc.property(told, wanted, (all, vips) => {
      const expected = expectedVips(vips);
      const found = notedOf(all, expected, (route) => {
        const position = positionOf(expected, route.address);
        const isRecognised = route.protocol === ours && expected.vips[position]?.source === route.source;
        if (position >= 0 && isRecognised) inPlace += 1;
        return position >= 0 && isRecognised ? position : route;
      });
      expect(found).toEqual(notedOf(all, expectNoVips(), (route) => route));
    }),
    { numRuns: 2_000 },
  );
  expect(inPlace).toBeGreaterThan(100);
});

it('the first route to an address is in force', () => {
  const vip = '10.96.0.1';
  const own = { address: vip, source: '192.0.2.1', protocol: ours };
  const kernel = { address: vip, source: vip, protocol: kernels };
  const stateOf = (...routes: Told['routes']): VipState | undefined =>
    notedOf({ addresses: [vip], routes, steered: [] }, expectNoVips(), (route) => route).get(vipKey(vip));
  expect(stateOf(own, kernel)).toEqual({ address: vip, onInterface: true, routed: true, source: '192.0.2.1' });
  expect(stateOf(kernel, own)).toEqual({ address: vip, onInterface: true, routed: true, source: vip });
  expect(stateOf(kernel)).toEqual({ address: vip, onInterface: true, routed: false, source: vip });
});

function notedOf(
  { addresses, routes, steered }: Told,
  expected: ExpectedVips,
  recognise: (route: HostRoute) => number | HostRoute,
): ReadonlyMap<string, VipState> {
  const found = foundNothing(expected);
  for (const each of addresses) {
    const position = positionOf(expected, each);
    noteAddress(found, position < 0 ? each : position);
  }
  const rest = { interfaceIndex: 1, mtu: 0 };
  for (const route of routes) noteLocalRoute(found, recognise({ ...route, ...rest, isLocal: true }));
  for (const { address: steeredAddress, isComplete } of steered) {
    const route = { address: steeredAddress, source: undefined, protocol: ours, isLocal: false, ...rest };
    noteSteeredRoute(found, route, isComplete);
  }
  return new Map(finish(statesOf(found)));
}
