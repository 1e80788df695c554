/** Connection tracking as the `conntrack` tool writes and reads it. */

import { execaSync } from 'execa';
import type { Family } from '../../../src/core/model/facts.ts';
import type { UdpFlow } from '../../../src/core/model/flow.ts';
import type { Ends } from './contract.ts';

/** A line for `conntrack --load-file`: the flow is made, and lasts for 100 s. */
export function inConntrackWords({ source, destination, replySource }: Ends): string {
  return [
    '-I -p udp -t 100',
    `-s ${source.address} -d ${destination.address} --sport ${source.port} --dport ${destination.port}`,
    `-r ${replySource.address} -q ${source.address}`,
    `--reply-port-src ${replySource.port} --reply-port-dst ${source.port}`,
  ].join(' ');
}

/** What `conntrack -L` lists. */
export function readUdpFlows(networkNamespace: string, family: Family): readonly UdpFlow[] {
  const options = ['-L', '-p', 'udp', '-f', family.toLowerCase(), '-o', 'id'];
  const { stdout } = execaSync('nsenter', [`--net=${networkNamespace}`, 'conntrack', ...options]);
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('udp'))
    .map(readLine);
}

/** `udp 17 99 src=A dst=B sport=1 dport=2 [UNREPLIED] src=C dst=D sport=3 dport=4 mark=0 use=1 id=5`. */
function readLine(line: string): UdpFlow {
  const all = (name: string): readonly string[] =>
    [...line.matchAll(new RegExp(`\\b${name}=(\\S+)`, 'g'))].map((match) => match[1] ?? '');
  const [source = '', replySource = ''] = all('src');
  const [sourcePort, replyPort] = all('sport').map(Number);
  const [destinationPort] = all('dport').map(Number);
  return {
    id: Number(all('id')[0]),
    source: { address: source, port: sourcePort ?? -1 },
    destination: { address: all('dst')[0] ?? '', port: destinationPort ?? -1 },
    replySource: { address: replySource, port: replyPort ?? -1 },
  };
}
