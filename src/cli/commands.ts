/** The commands, as --help tells them. */

import type { ArgumentSpecification } from '../app/config/read-arguments.ts';

export const commandNames = ['run', 'plan', 'trace', 'cleanup', 'migrate', 'manifest', 'version'] as const;
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
  /** The words that follow the command, as the usage shows them; '' for none. */
  readonly operands: string;
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
  help: 'Text for people (the default), or JSON for programs.',
};

const whileRunningFlag: CommandFlag = {
  name: 'while-running',
  isSwitch: true,
  placeholder: '',
  help: 'Go on though the other proxy seems to run, or nothing can tell.',
};

export const imageFlag: CommandFlag = {
  name: 'image',
  isSwitch: false,
  placeholder: 'REFERENCE',
  help: 'The image in the manifest. Default: the one of this version, localhost/sluice:VERSION.',
};

export const namespaceFlag: CommandFlag = {
  name: 'namespace',
  isSwitch: false,
  placeholder: 'NAME',
  help: 'The namespace in the manifest. Default: kube-system.',
};

/** What the command migrate can be told to do. */
export const migrationSteps = ['plan', 'from-kube-proxy', 'from-kube-router', 'to-kube-proxy'] as const;
export type MigrationStep = (typeof migrationSteps)[number];

export const commands: Readonly<Record<CommandName, Command>> = {
  run: {
    summary: 'keep the kernel in line with the Services of the cluster (the default)',
    description: [
      'Watches Services and EndpointSlices and programs IPVS, the VIP interface and its own nftables table. What it finds of its own at the start is taken over, so a restart breaks no connection; when it stops it leaves everything in place.',
    ],
    flags: [],
    operands: '',
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
    operands: '',
    isConfigurable: true,
    examples: [
      ['sluice plan --kubeconfig=/root/.kube/config', 'before sluice takes over a node'],
      ['sluice plan -o json | jq .counts', 'in a script: no operations means in sync'],
    ],
  },
  trace: {
    summary: 'say what happens to a packet on this node, and why',
    description: [
      'Follows the first packet of a connection through what sluice programs here: which rule of its nftables table it meets, which virtual server, which endpoints may get it, and which source address they see; or that it is rejected, dropped, or none of sluice’s business. Reads the Services and the kernel and sends nothing. Where the kernel does not hold what it should, both ways are shown.',
      'SOURCE is the address of a pod, a node or a client, or the word node for a process on this node. DESTINATION is a ClusterIP, an external or load-balancer IP, or an address of this node with a node port; IPv6 stands in brackets. PROTOCOL is tcp (the default), udp or sctp. Run it on the node that the packet comes to first: the client’s own for a pod or a node. Give it the flags that run gets.',
    ],
    flags: [outputFlag],
    operands: 'SOURCE DESTINATION:PORT[/PROTOCOL]',
    isConfigurable: true,
    examples: [
      ['sluice trace 10.244.1.7 10.96.0.1:443', 'what a pod gets from a ClusterIP'],
      ['sluice trace node 10.96.0.10:53/udp', 'and a process on this node'],
      ['sluice trace 203.0.113.9 192.0.2.10:30080 -o json', 'a client at a node port, in JSON'],
    ],
  },
  cleanup: {
    summary: 'remove everything that is ours from this node',
    description: [
      'Removes what sluice recorded as its own, in both families: virtual servers, VIPs, its nftables table, and the VIP interface if it made it. What belongs to others stays and is listed, unless --cleanup-of names a stopped proxy. Goes on after an error, and may be run again. Stop the agent first. Exits with 1 if something could not be removed.',
    ],
    flags: [outputFlag],
    operands: '',
    isConfigurable: true,
    examples: [['sluice cleanup', 'after the DaemonSet is gone']],
  },
  migrate: {
    summary: 'take this node over from kube-proxy or kube-router, or give it back',
    description: [
      'plan says what of which other proxy is here, what of it would be removed and kept, and why; it writes nothing. from-kube-proxy and from-kube-router remove what the other proxy left, once it is stopped and sluice stands in its place: its rules of iptables or its nftables tables, virtual servers that no Service has, its interface and its ipsets. to-kube-proxy is the way back, with sluice stopped and kube-proxy running in ipvs mode: the virtual servers stay, which are kube-proxy’s then, and everything else of sluice goes once kube-proxy has its own.',
      'Run it on the node, as root; rules of iptables take the programs that made them. Goes on after an error, and may be run again. Exits with 1 if something could not be removed. Give it the flags that run gets.',
    ],
    flags: [outputFlag, whileRunningFlag],
    operands: migrationSteps.join('|'),
    isConfigurable: true,
    examples: [
      ['sluice migrate plan --kubeconfig=/root/.kube/config', 'before anything is done'],
      ['sluice migrate from-kube-proxy --kubeconfig=/root/.kube/config', 'after sluice run has synced'],
    ],
  },
  manifest: {
    summary: 'print the objects that install sluice in a cluster',
    description: [
      'Prints a ServiceAccount, a ClusterRoleBinding to the role that every cluster has for kube-proxy, and a DaemonSet whose containers run with the flags given here, checked as run checks them. It asks no cluster and needs no rights. Without --master and --cluster-cidr the manifest holds examples, in lines marked EDIT.',
      'With --direct-return the agent gets what entering pods takes; a state of --last-known-state is kept on the node. The settings of a file of --config become flags. What pods do not have cannot be given: --kubeconfig (the ServiceAccount is used) and --manifests.',
    ],
    flags: [imageFlag, namespaceFlag, outputFlag],
    operands: '',
    isConfigurable: true,
    examples: [
      [
        'sluice manifest --master=https://192.0.2.10:6443 --cluster-cidr=10.244.0.0/16 | kubectl apply -f -',
        'install, or change flags',
      ],
      ['sluice manifest --config=kube-proxy.conf --master=https://192.0.2.10:6443', 'with the settings of kube-proxy'],
      ['sluice manifest --vip-mode=route --image=registry.example/sluice:0.1.0', 'from a registry of yours'],
    ],
  },
  version: {
    summary: 'print the version',
    description: ['Prints the version of sluice.'],
    flags: [],
    operands: '',
    isConfigurable: false,
    examples: [],
  },
};

export function isCommandName(word: string): word is CommandName {
  return commandNames.some((name) => name === word);
}
