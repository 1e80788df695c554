import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Paint } from './screen/paint.ts';
import type { Stage } from './steps/stage.ts';

/** A shell beside the running world; the demo goes on when it ends. */
export async function keepTheWorld(
  { sluice, folder }: Stage,
  { write, paint }: { readonly write: (text: string) => void; readonly paint: Paint },
): Promise<void> {
  const hints: readonly (readonly [string, string])[] = [
    ['ip netns', 'the namespaces: client, node1, node2 and the pods'],
    ['ip netns exec node1 ipvsadm -Ln', 'the virtual servers of node1'],
    ['ip netns exec node1 nft list table inet sluice', 'masquerade and the other rules of sluice'],
    ['ask client 198.51.100.80 80', 'a request from outside: who answers, what it saw'],
    ['ask toolbox 10.96.0.80 80', 'a request from a pod'],
    [`vi ${folder}/web.yaml`, 'change a Service; the agents look at this folder'],
    ['sluice plan', 'what a sync of node1 would change'],
  ];
  write(`\n${paint.title('The world stays up until this shell ends. For example:')}\n`);
  for (const [command, what] of hints) write(`  ${command.padEnd(50)} ${paint.dim(what)}\n`);
  const ask = `ask() { ip netns exec "$1" bash -c 'exec 3<>/dev/tcp/$0/$1; echo >&3; head -n1 <&3' "$2" "$3"; }`;
  const start = `${ask}; sluice() { ${sluice.spelling('node1', '"$1"')}; }; export -f ask sluice; PS1='lab# ' exec bash --norc -i`;
  const shell = spawn('bash', ['-c', start], { stdio: 'inherit' });
  await once(shell, 'exit');
}
