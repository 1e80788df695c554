import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../src/app/config/problem.ts';
import { parsePacket } from '../../src/cli/packet-words.ts';

describe('the words of a packet', () => {
  it.each([
    ['10.1.0.9 10.96.0.1:80', '10.1.0.9', '10.96.0.1', 80, 'TCP'],
    ['10.1.0.9 10.96.0.10:53/udp', '10.1.0.9', '10.96.0.10', 53, 'UDP'],
    ['10.1.0.9 10.96.0.10:53/SCTP', '10.1.0.9', '10.96.0.10', 53, 'SCTP'],
    ['node 10.96.0.1:65535', undefined, '10.96.0.1', 65_535, 'TCP'],
    ['fd00:0::9 [FD00:96::0:1]:80', 'fd00::9', 'fd00:96::1', 80, 'TCP'],
    ['node [fd00::1]:53/udp', undefined, 'fd00::1', 53, 'UDP'],
  ])('%s', (words, ...[source, destination, port, protocol]) => {
    expect(parsePacket(words.split(' '))).toEqual({ source, destination, port, protocol });
  });

  it.each([
    ['', 'expected two words, SOURCE and DESTINATION:PORT[/PROTOCOL], given none.'],
    ['10.1.0.9', 'given "10.1.0.9". See sluice trace --help.'],
    ['10.1.0.9 10.96.0.1:80 tcp', 'given "10.1.0.9" "10.96.0.1:80" "tcp".'],
    ['web 10.96.0.1:80', 'expected an address to send from, given "web".'],
    ['node 10.96.0.1', 'given "10.96.0.1". Add the port: 10.96.0.1:80.'],
    ['node fd00::1', 'Add the port: [fd00::1]:80.'],
    ['node fd00::1:80', 'given "fd00::1:80". Add the port: [fd00::1:80]:80.'],
    ['node 10.96.0.1:0', 'expected an address and a port to send to'],
    ['node 10.96.0.1:65536', 'expected an address and a port to send to'],
    ['node default/web:80', 'Write for example 10.96.0.1:80, 10.96.0.10:53/udp or [fd00::1]:80.'],
    ['node 10.96.0.1:80/icmp', 'expected a protocol of Services, given "icmp".'],
    ['10.1.0.9 [fd00::1]:80', 'expected source and destination of one family, given "10.1.0.9" and "fd00::1".'],
  ])('that are wrong say why: "%s"', (words, said) => {
    const found = parsePacket(words === '' ? [] : words.split(' '));
    expect('protocol' in found ? [] : found.map(formatProblem)).toEqual([expect.stringContaining(said)]);
  });

  it('have both mistakes told', () => {
    const found = parsePacket(['web', 'web:http']);
    expect('protocol' in found ? [] : found).toHaveLength(2);
  });
});
