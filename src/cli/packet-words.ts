/** The packet that `sluice trace SOURCE DESTINATION:PORT/PROTOCOL` asks about. */

import { type ConfigProblem, quote } from '../app/config/problem.ts';
import { familyOf, formatEndpoint, parseAddress } from '../core/address.ts';
import type { Protocol } from '../core/model/facts.ts';
import type { Packet } from '../core/trace/packet.ts';

/** The packet, or everything that is wrong with the words. */
export function parsePacket(words: readonly string[]): Packet | readonly ConfigProblem[] {
  const [source, destination, ...others] = words;
  if (source === undefined || destination === undefined || others.length > 0) {
    const given = words.length === 0 ? 'none' : words.map(quote).join(' ');
    return [problem('two words, SOURCE and DESTINATION:PORT[/PROTOCOL]', given, 'See sluice trace --help')];
  }
  const from = source === 'node' ? undefined : parseAddress(source);
  const target = parseTarget(destination);
  const problems = [
    ...(from === undefined && source !== 'node' ? [badSource(source)] : []),
    ...('problem' in target ? [target.problem] : []),
  ];
  if ('problem' in target || problems.length > 0) {
    return problems;
  }
  if (from !== undefined && familyOf(from) !== familyOf(target.destination)) {
    const given = `${quote(from)} and ${quote(target.destination)}`;
    return [problem('source and destination of one family', given, 'Write both as IPv4 or both as IPv6')];
  }
  return { source: from, ...target };
}

type Target = Omit<Packet, 'source'>;

/** `10.96.0.1:80`, `10.96.0.10:53/udp`, `[fd00::1]:80`. */
function parseTarget(text: string): Target | { readonly problem: ConfigProblem } {
  const [, bracketed, plain, port = '', word = 'tcp'] =
    /^(?:\[(?<bracketed>[^\]]*)\]|(?<plain>[^:/]*)):(?<port>\d{1,5})(?:\/(?<protocol>\w+))?$/.exec(text) ?? [];
  const destination = parseAddress(bracketed ?? plain ?? '');
  const number = Number(port);
  if (destination === undefined || number < 1 || number > 65_535) {
    return { problem: badTarget(text) };
  }
  const protocol = protocols.find((each) => each === word.toUpperCase());
  if (protocol === undefined) {
    const remedy = 'Write /tcp, /udp or /sctp after the port; without it tcp is meant';
    return { problem: problem('a protocol of Services', quote(word), remedy) };
  }
  return { destination, port: number, protocol };
}

const protocols: readonly Protocol[] = ['TCP', 'UDP', 'SCTP'];

function badSource(given: string): ConfigProblem {
  const remedy = 'Write the address of a pod, a node or a client, or the word node for a process on this node';
  return problem('an address to send from', quote(given), remedy);
}

function badTarget(given: string): ConfigProblem {
  const address = parseAddress(given);
  const remedy =
    address === undefined
      ? 'Write for example 10.96.0.1:80, 10.96.0.10:53/udp or [fd00::1]:80'
      : `Add the port: ${formatEndpoint(address, 80)}`;
  return problem('an address and a port to send to', quote(given), remedy);
}

function problem(expected: string, given: string, remedy: string): ConfigProblem {
  return { flag: 'trace', expected, given, remedy };
}
