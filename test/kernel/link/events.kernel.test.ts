import { execaSync } from 'execa';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openLink } from '../../../src/kernel/link/open-link.ts';
import type { AddressListener, LinkPort } from '../../../src/kernel/ports.ts';
import { addVip, nodeAddresses, removeVip } from './contract.ts';

let count = 0;
let name = '';
let link: LinkPort;

beforeEach(() => {
  count += 1;
  name = `link-events-${process.pid}-${count}`;
  execaSync('ip', ['netns', 'add', name]);
  ip('link set lo up');
  ip('link add eth0 type dummy');
  ip('link set eth0 up');
  link = openLink({
    interfaceName: 'kube-dummy-if',
    mode: 'address',
    steeringMark: 0xff,
    networkNamespace: `/run/netns/${name}`,
  });
});

afterEach(() => {
  link.close();
  execaSync('ip', ['netns', 'delete', name]);
});

describe('changes of addresses', () => {
  it('are told for both families, in one call for a burst, and no longer once stopped', async () => {
    const listener = vi.fn<AddressListener>();
    const stop = link.onAddressChange(listener);
    ip(`address add ${nodeAddresses[0]}/24 dev eth0`);
    ip(`address add ${nodeAddresses[1]}/64 dev eth0 nodad`);
    await vi.waitFor(() => expect(listener).toHaveBeenCalledOnce());
    expect(listener).toHaveBeenLastCalledWith(new Set());
    ip(`address delete ${nodeAddresses[1]}/64 dev eth0`);
    await vi.waitFor(() => expect(listener).toHaveBeenCalledTimes(2));
    expect(listener).toHaveBeenLastCalledWith(new Set([nodeAddresses[1]]));
    stop();
    ip(`address delete ${nodeAddresses[0]}/24 dev eth0`);
    await settled();
    expect(listener).toHaveBeenCalledTimes(2);
  });

  it('are not told for VIPs', async () => {
    ip(`address add ${nodeAddresses[0]}/24 dev eth0`);
    link.ensureInterface();
    await settled();
    const listener = vi.fn<AddressListener>();
    link.onAddressChange(listener);
    expect(link.apply([addVip('10.96.0.1'), removeVip('10.96.0.1')]).failures).toEqual([]);
    expect(link.apply([addVip('10.96.0.2')]).failures).toEqual([]);
    await settled();
    expect(listener).not.toHaveBeenCalled();
    ip(`address add ${nodeAddresses[1]}/64 dev eth0 nodad`);
    await vi.waitFor(() => expect(listener).toHaveBeenCalled());
  });

  it.each(['kube-ipvs0', 'kube-dummy-if'])('are not told for the VIPs of another proxy on %s', async (other) => {
    link.close();
    link = openLink({
      interfaceName: 'vips',
      mode: 'address',
      steeringMark: 0xff,
      networkNamespace: `/run/netns/${name}`,
    });
    ip(`link add ${other} type dummy`);
    ip('link add pod type dummy');
    const listener = vi.fn<AddressListener>();
    link.onAddressChange(listener);
    ip(`address add 10.96.0.1/32 dev ${other}`);
    // Every interface of a pod brings a link-local address.
    ip('link set pod up');
    await settled();
    expect(listener).not.toHaveBeenCalled();
    expect(link.nodeAddresses().map(({ address }) => address)).not.toContain('10.96.0.1');
  });

  it('may set an interface of somebody else up', () => {
    ip('link add kube-dummy-if type dummy');
    expect(link.ensureInterface()).toEqual({ created: false });
    expect(execaSync('ip', ['-n', name, '-br', 'link', 'show', 'kube-dummy-if']).stdout).toContain(',UP');
  });
});

function ip(command: string): void {
  execaSync('ip', ['-n', name, ...command.split(' ')]);
}

/** Long enough for the kernel's work queues and our event loop. */
async function settled(): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, 200);
  });
}
