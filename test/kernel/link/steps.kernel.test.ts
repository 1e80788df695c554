import { execaSync } from 'execa';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { vipKey } from '../../../src/core/actual.ts';
import { finish, type Steps } from '../../../src/core/steps.ts';
import { openLink } from '../../../src/kernel/link/open-link.ts';
import type { LinkPort } from '../../../src/kernel/ports.ts';
import { addVip } from './contract.ts';
import { expecting } from './expecting.ts';

const vips = Array.from({ length: 2_000 }, (_each, index) => `10.96.${index >> 8}.${index & 0xff}`);
let name = '';
let link: LinkPort;

beforeEach(() => {
  name = `link-steps-${process.pid}`;
  execaSync('ip', ['netns', 'add', name]);
  execaSync('ip', ['-n', name, 'link', 'add', 'eth0', 'type', 'dummy']);
  execaSync('ip', ['-n', name, 'address', 'add', '192.0.2.10/24', 'dev', 'eth0']);
  const networkNamespace = `/run/netns/${name}`;
  link = openLink({ interfaceName: 'kube-dummy-if', mode: 'address', steeringMark: 0xff, networkNamespace });
  link.ensureInterface();
  link.apply(vips.map((address) => addVip(address)));
});

afterEach(() => {
  link.close();
  execaSync('ip', ['netns', 'delete', name]);
});

it('the addresses of the node are read in steps, between which VIPs may be read and written', () => {
  let count = 0;
  const found = meanwhile(link.readNodeAddresses(), () => {
    count += 1;
    link.apply([addVip(`10.97.0.${count}`)]);
    return link.nodeAddresses();
  });
  expect(found.result.map(({ address }) => address)).toEqual(['192.0.2.10']);
  // A datagram of the kernel's has 400 addresses.
  expect(count).toBeGreaterThanOrEqual(5);
  expect(found.between).toEqual(Array.from({ length: count }, () => found.result));
  expect(link.dumpVips()).toHaveLength(vips.length + count);
});

it('what VIPs are expected is asked once, before any is read, and not where there are none', () => {
  let asked = 0;
  const each = expecting(vips.map((address) => ({ address, source: '192.0.2.10' })));
  const eachVip: typeof each = (visit) => {
    asked += 1;
    return each(visit);
  };
  const steps = link.readVips(eachVip);
  steps.next();
  expect(asked).toBe(1);
  expect([...finish(steps).keys()]).toEqual(vips.map(vipKey));
  link.apply(vips.map((address) => ({ kind: 'remove-vip', address })));
  expect(finish(link.readVips(eachVip)).size).toBe(0);
  expect(asked).toBe(1);
});

/** Does something after each step. */
function meanwhile<Result, Other>(
  steps: Steps<Result>,
  act: () => Other,
): { readonly result: Result; readonly between: readonly Other[] } {
  const between: Other[] = [];
  for (;;) {
    const step = steps.next();
    if (step.done === true) {
      return { result: step.value, between };
    }
    between.push(act());
  }
}
