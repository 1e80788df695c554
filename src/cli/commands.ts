/** The commands, as --help tells them. */

import type { ArgumentSpecification } from '../app/config/read-arguments.ts';

export const commandNames = ['run', 'plan', 'cleanup', 'version'] as const;
export type CommandName = (typeof commandNames)[number];

/** A flag that is no setting of the agent. */
export interface CommandFlag extends ArgumentSpecification {
  readonly placeholder: string;
  readonly help: string;
}

export interface Command {
  readonly summary: string;
  /** Paragraphs. */
  readonly description: readonly string[];
  readonly flags: readonly CommandFlag[];
  /** Whether the flags of the agent count here. */
  readonly isConfigurable: boolean;
  /** Command line and what it is for. */
  readonly examples: readonly (readonly [line: string, purpose: string])[];
}

export const helpFlag: CommandFlag = {
  name: 'help',
  short: 'h',
  isSwitch: true,
  placeholder: '',
  help: 'This text; after a command, the text of that command.',
};

export const versionFlag: CommandFlag = {
  name: 'version',
  isSwitch: true,
  placeholder: '',
  help: 'The same as the command version.',
};

const outputFlag: CommandFlag = {
  name: 'output',
  short: 'o',
  isSwitch: false,
  placeholder: 'text|json',
  help: 'A table for people (the default), or JSON for programs.',
};

export const commands: Readonly<Record<CommandName, Command>> = {
  run: {
    summary: 'keep the kernel in line with the Services of the cluster (the default)',
    description: [
      'Watches Services and EndpointSlices and programs IPVS, the VIP interface and its own nftables table. What it finds of its own at the start is taken over, so a restart breaks no connection; when it stops it leaves everything in place.',
    ],
    flags: [],
    isConfigurable: true,
    examples: [
      ['sluice run --cluster-cidr=10.244.0.0/16', 'in a pod, with its service account'],
      ['sluice run --manifests=/etc/sluice --log-format=text', 'without a cluster, from a folder'],
    ],
  },
  plan: {
    summary: 'show what a sync would change on this node now',
    description: [
      'Reads the Services and the kernel, and lists by Service what run would add, change and remove, and what it refuses and why. Writes nothing. Give it the flags that run gets.',
    ],
    flags: [outputFlag],
    isConfigurable: true,
    examples: [
      ['sluice plan --kubeconfig=/root/.kube/config', 'before sluice takes over a node'],
      ['sluice plan -o json | jq .counts', 'in a script: no operations means in sync'],
    ],
  },
  cleanup: {
    summary: 'remove everything that is ours from this node',
    description: [
      'Removes what sluice recorded as its own, in both families: virtual servers, VIPs, its nftables table, and the VIP interface if it made it. What belongs to others stays and is listed. Goes on after an error, and may be run again. Stop the agent first. Exits with 1 if something could not be removed.',
    ],
    flags: [outputFlag],
    isConfigurable: true,
    examples: [['sluice cleanup', 'after the DaemonSet is gone']],
  },
  version: {
    summary: 'print the version',
    description: ['Prints the version of sluice.'],
    flags: [],
    isConfigurable: false,
    examples: [],
  },
};

export function isCommandName(word: string): word is CommandName {
  return commandNames.some((name) => name === word);
}
