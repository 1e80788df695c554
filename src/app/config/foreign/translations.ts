/** Settings of others that sluice has under another form. */

import { formatEndpoint, parseAddress } from '../../../core/address.ts';
import type { BindAddress, Config } from '../config.ts';
import type { Parsed } from '../value-kinds.ts';
import { ignored, type Meaning, translated } from './meaning.ts';

/** The number of a bit, counted from 0 (kube-proxy's default is 14). */
export const masqueradeBit: Meaning = translated('masquerade-mark', 'the number of the bit: 14 is 0x4000', {
  expected: 'the number of a bit, from 0 to 31',
  translate: (text) =>
    /^\d{1,2}$/.test(text) && Number(text) <= 31
      ? { ok: true, value: `0x${(2 ** Number(text)).toString(16)}` }
      : { ok: false, remedy: 'Choose a number from 0 to 31' },
});

/** klog's levels: kube-proxy says little new from 4 on, and each packet of its work from 6 on. */
export const verbosity: Meaning = translated('log-level', '0 to 3 are info, 4 and 5 debug, more is trace', {
  expected: 'a verbosity from 0 to 10',
  translate: (text) =>
    /^\d{1,3}$/.test(text)
      ? { ok: true, value: levelOf(Number(text)) }
      : { ok: false, remedy: 'Choose a number from 0 to 10' },
});

function levelOf(number: number): string {
  if (number >= 6) {
    return 'trace';
  }
  return number >= 4 ? 'debug' : 'info';
}

export const healthzPort: Meaning = portOf('healthz-bind-address', (config) => config.healthzBindAddress, {
  address: '0.0.0.0',
  note: 'the port alone; 0 is no server',
});

export const metricsPort: Meaning = portOf('metrics-bind-address', (config) => config.metricsBindAddress, {
  address: '127.0.0.1',
  note: 'the port alone, 0 is no server; kube-router listens on every address then, sluice on the loopback unless --metrics-addr is given',
});

interface PortPlace {
  readonly address: string;
  readonly note: string;
}

function portOf(flag: string, read: (config: Config) => BindAddress | undefined, place: PortPlace): Meaning {
  return translated(flag, place.note, {
    expected: 'a port from 0 to 65535',
    isPart: true,
    translate: (text, current) => {
      if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
        return { ok: false, remedy: 'Choose a port from 1 to 65535, or 0 for no server' };
      }
      const { address } = read(current) ?? place;
      return { ok: true, value: Number(text) === 0 ? '' : formatEndpoint(address, Number(text)) };
    },
  });
}

export const metricsAddr: Meaning = translated('metrics-bind-address', 'the address alone', {
  expected: 'an IP address, or nothing for all',
  isPart: true,
  translate: (text, current) => {
    const address = text === '' ? '' : parseAddress(text);
    if (address === undefined) {
      return { ok: false, remedy: 'Write it like 127.0.0.1' };
    }
    const port = current.metricsBindAddress?.port;
    return { ok: true, value: port === undefined ? '' : formatEndpoint(address, port) };
  },
});

export const bindOnAllAddresses: Meaning = translated('nodeport-addresses', 'true is all of them, false is primary', {
  expected: 'true or false',
  translate: (text): Parsed<string> => ({ ok: true, value: text === 'true' ? '' : 'primary' }),
});

/** The scheduler: '' is kube-proxy's default. */
export const scheduler: Meaning = translated('ipvs-scheduler', 'nothing is rr', {
  expected: 'a scheduler',
  translate: (text) => ({ ok: true, value: text === '' ? 'rr' : text }),
});

/** How pods are told from others: '' is kube-proxy's default. */
export const detectLocalMode: Meaning = translated('detect-local-mode', 'nothing is ClusterCIDR', {
  expected: 'a mode',
  translate: (text) => ({ ok: true, value: text === '' ? 'ClusterCIDR' : text }),
});

export const proxyMode: Meaning = ignored('sluice is an IPVS proxy and has no other mode', ['ipvs'], {
  text: 'Anything else than ipvs, iptables and nftables is refused.',
  refuse: (value) =>
    ['iptables', 'nftables'].includes(value)
      ? undefined
      : { expected: 'ipvs, iptables, nftables or nothing', remedy: 'Write ipvs' },
});

/** One gate closes a door. It must not be open here because nobody looked. */
export const featureGates: Meaning = ignored('sluice has no feature gates', [], {
  text: '`AllowServiceExternalIPs=false` is refused, since external IPs would be served all the same.',
  refuse: (value) =>
    /(^|,)\s*AllowServiceExternalIPs=(0|f|false)\s*(,|$)/i.test(value)
      ? {
          expected: 'no AllowServiceExternalIPs=false, for which sluice has flags of its own',
          remedy:
            'Take the gate out; --strict-external-ip-validation without --service-external-ip-range refuses all external IPs',
        }
      : undefined,
});
