import { execaSync } from 'execa';
import { describe, expect } from 'vitest';
import { interfaceAlias, routeProtocol } from '../../../src/kernel/link/identity.ts';
import { openLink } from '../../../src/kernel/link/open-link.ts';
import type { LinkPort } from '../../../src/kernel/ports.ts';
import { nodeAddresses, testLinkContract } from './contract.ts';

const vipInterface = 'kube-dummy-if';
let count = 0;

describe("the kernel's VIP interface", () => {
  testLinkContract(({ mode, isForeign }) => {
    count += 1;
    const name = `link-contract-${process.pid}-${count}`;
    const node = makeNode(name, isForeign);
    const link = openLink({
      interfaceName: vipInterface,
      mode,
      steeringMark: 0xff,
      networkNamespace: `/run/netns/${name}`,
    });
    return {
      link,
      check: () => expectAsIpSays(link, name),
      addAddress: (address) => {
        node(`address add ${address} dev ${vipInterface}${isIPv6(address) ? ' nodad' : ''}`);
        // The kernel makes the route of an IPv6 address a little later.
        const route = ['-n', name, 'route', 'get', address];
        while (!execaSync('ip', route, { reject: false }).stdout.includes('proto kernel') && isIPv6(address));
      },
      deleteAddress: (address) => node(`address delete ${address}/${isIPv6(address) ? 128 : 32} dev ${vipInterface}`),
      deleteRoute: (address) => node(`route delete local ${address} table local proto ${routeProtocol}`),
      close: () => {
        link.close();
        execaSync('ip', ['netns', 'delete', name]);
      },
    };
  });
});

function makeNode(name: string, isForeign: boolean): (command: string) => void {
  const node = (command: string): void => {
    execaSync('ip', ['-n', name, ...command.split(' ')]);
  };
  execaSync('ip', ['netns', 'add', name]);
  node('link set lo up');
  node('link add eth0 type dummy');
  node('link set eth0 up');
  node(`address add ${nodeAddresses[0]}/24 dev eth0`);
  node(`address add ${nodeAddresses[1]}/64 dev eth0 nodad`);
  node('route add default via 192.0.2.1');
  node('-6 route add default via 2001:db8::1');
  if (isForeign) node(`link add ${vipInterface} type dummy`);
  return node;
}

interface IpAddress {
  readonly local: string;
  readonly prefixlen: number;
  readonly scope: string;
}

interface IpDevice {
  readonly flags: readonly string[];
  readonly ifalias?: string;
  readonly addr_info: readonly IpAddress[];
}

interface IpRoute {
  readonly type: string;
  readonly dst: string;
  readonly dev: string;
  readonly protocol: string;
  readonly prefsrc?: string;
}

/** The port's picture against that of `ip`; nothing of sluice's may be left on another interface. */
function expectAsIpSays(link: LinkPort, name: string): void {
  const [device] = ipJson(name, ['address', 'show', 'dev', vipInterface]) as readonly IpDevice[];
  const addresses = (device?.addr_info ?? []).filter(({ local }) => !local.startsWith('fe80:'));
  const vips = link.dumpVips();
  expect(
    vips
      .filter((vip) => vip.onInterface)
      .map((vip) => vip.address)
      .sort(),
  ).toEqual(addresses.map(({ local }) => local).sort());
  for (const { local, prefixlen } of addresses) expect(prefixlen).toBe(isIPv6(local) ? 128 : 32);
  const routes = ['-4', '-6'].flatMap(
    (family) => ipJson(name, [family, 'route', 'show', 'table', 'local', 'type', 'local']) as readonly IpRoute[],
  );
  const ordinary = ['-4', '-6'].flatMap(
    (family) => ipJson(name, [family, 'route', 'show', 'proto', String(routeProtocol)]) as readonly IpRoute[],
  );
  expectSteering(link, name);
  const own = [...routes.filter(({ protocol }) => protocol === String(routeProtocol)), ...ordinary];
  expect(
    vips
      .filter((vip) => vip.routed)
      .map((vip) => vip.address)
      .sort(),
  ).toEqual(own.map(({ dst }) => dst).sort());
  for (const { dev } of own) expect(dev).toBe(vipInterface);
  for (const vip of vips.filter(({ routed }) => routed)) {
    expect([vip.address, vip.source]).toEqual([
      vip.address,
      [...routes, ...ordinary].find(({ dst }) => dst === vip.address)?.prefsrc,
    ]);
  }
  // A local route of the kernel's without its address would make a VIP that nobody knows of.
  const strays = routes.filter(({ dev, dst }) => dev === vipInterface && !dst.startsWith('fe80:'));
  expect(strays.filter(({ dst }) => !vips.some((vip) => vip.address === dst))).toEqual([]);
  if (device?.ifalias === interfaceAlias) expect(device.flags).toContain('UP');
}

/** Rule and table stand for the families that have a steered VIP, and for no other. */
function expectSteering(link: LinkPort, name: string): void {
  const steered = link.dumpVips().filter((vip) => vip.isSteered === true);
  for (const [family, isOf] of [
    ['-4', (address: string) => !isIPv6(address)],
    ['-6', isIPv6],
  ] as const) {
    const isAsked = steered.some(({ address }) => isOf(address));
    const rules = execaSync('ip', ['-n', name, family, 'rule', 'show', 'priority', '32764']).stdout;
    expect(rules.includes('fwmark 0xff/0xff lookup 78')).toBe(isAsked);
    expect(ipJson(name, [family, 'route', 'show', 'table', '78'])).toHaveLength(isAsked ? 1 : 0);
  }
}

function ipJson(name: string, words: readonly string[]): readonly unknown[] {
  const { stdout, exitCode } = execaSync('ip', ['-j', '-n', name, ...words], { reject: false });
  // Without the interface `ip` fails; without routes it prints nothing.
  if (exitCode !== 0 || stdout === '') return [];
  const answer: unknown = JSON.parse(stdout);
  return Array.isArray(answer) ? answer : [];
}

function isIPv6(address: string): boolean {
  return address.includes(':');
}
