/** Bugs of kube-router's direct server return. */

import type { Fault, Proof } from './index.ts';

const packets = 'scenarios/direct-return-packets.kernel.test.ts';
const life = 'scenarios/direct-return-life.kernel.test.ts';
const reconciler = 'app/reconciler/direct-return.test.ts';
const pods = 'app/direct-return/pod-tunnels.test.ts';

const bulk: Proof = [
  packets,
  'takes and sends 10 MB in %s without a fragment or a stall (kr#630, kr#769, kr#1063, kr#1664, kr#1671, kr#1995)',
];
const asBefore: Proof = [life, '%s leaves nodes and pods as they were (kr#235, kr#1167)'];

export const directReturnFaults: readonly Fault[] = [
  {
    id: 'kr#1870',
    what: 'direct return fails from pods and for endpoints on another node',
    proofs: [
      [packets, 'sees the client itself and answers from the VIP, in %s over %s (kr#1870)'],
      [packets, 'serves pods and nodes in %s as any VIP'],
    ],
    remark: 'Pods and nodes are masqueraded, as at any VIP. A tunnel over an overlay of the same kind is not tested.',
  },
  {
    id: 'kr#1169',
    what: 'the VIP is on no interface, so that nobody answers for it',
    proofs: [[packets, 'answers a ping in %s, to the client and to its own node (kr#644, kr#1044)']],
    remark: 'It is an address of the VIP interface. ARP for it is left to whoever announces it.',
  },
  {
    id: 'kr#512',
    what: 'a destination before the tunnel of its pod',
    proofs: [
      [reconciler, 'takes an endpoint of this node when its pod is prepared, and lets it go when it is not any more'],
      [reconciler, 'asks for a tunnel in the pod before it is ready, and while it terminates'],
      [
        reconciler,
        'takes the answers of a prepared pod for no forgeries, before it is ready and on whatever node it is asked',
      ],
    ],
  },
  {
    id: 'kr#235',
    what: 'the VIP stays in the pod',
    proofs: [asBefore, [pods, 'are restored when they are wanted no longer, and only once']],
  },
  {
    id: 'kr#1640',
    what: 'a pod that cannot be entered stops everything',
    proofs: [[pods, 'because it %s says so, keeps no other waiting and is tried again']],
  },
  {
    id: 'kr#1656, kr#936',
    what: 'endpoints with the network of the node, or another port, are passed over in silence',
    proofs: [
      ['scenarios/direct-return-limits.kernel.test.ts', '$what is masqueraded, and why is told (kr#1656, kr#936)'],
    ],
  },
  { id: 'kr#1167', what: 'rules that stay behind take the address away', proofs: [asBefore] },
  {
    id: 'kr#1616',
    what: 'no start without rt_tables',
    proofs: [[life, 'by cleanup leaves nothing on a node or in its pods']],
    remark: 'The table has a number and no name; rt_tables is neither read nor written.',
  },
  {
    id: 'kr#511',
    what: 'answers taken for forged',
    proofs: [
      [packets, 'sees the client itself and answers from the VIP, in %s over %s (kr#1870)'],
      ['kernel/pod-network/contract.ts', 'checks the way back loosely, and tells no neighbour of a VIP'],
    ],
  },
  {
    id: 'kr#630, kr#769, kr#1063, kr#1664, kr#1671, kr#1995',
    what: 'segments that do not fit the tunnel',
    proofs: [bulk, [packets, 'tells the client in %s how large its segments may be, in the SYN-ACK (kr#630)']],
  },
  {
    id: 'kr#644, kr#1044',
    what: 'a VIP does not answer a ping',
    proofs: [[packets, 'answers a ping in %s, to the client and to its own node (kr#644, kr#1044)']],
  },
  {
    id: 'kr#570, kr#683, kr#1199',
    what: 'NetworkPolicy does not see what comes through a tunnel',
    proofs: [
      [
        'scenarios/direct-return-limits.kernel.test.ts',
        'say who may come, before a tunnel hides the client from every policy at the pod (kr#570, kr#683, kr#1199)',
      ],
    ],
    remark: 'No proxy can mend what a policy sees. docs/direct-server-return.md says what to use instead.',
  },
  {
    id: 'kr#843, kr#1027, kr#647',
    what: 'the network of a pod is not found on some container runtimes',
    proofs: [
      ['cri/container-runtime.test.ts', 'finds the sandbox of a pod among others'],
      [
        'cri/containerd.api.test.ts',
        'are found with their addresses and their network namespace, and are gone when they stop',
      ],
    ],
  },
  {
    id: 'kr#1860',
    what: 'the node that saw the first packet dies, and the flow is reset',
    proofs: [
      [
        'scenarios/direct-return-several-nodes.kernel.test.ts',
        'a flow that a router moves to another node goes on at its pod, with mh (kr#1860)',
      ],
    ],
    remark: 'With the scheduler mh. docs/direct-server-return.md says how far it carries.',
  },
  {
    id: 'kr#1865',
    what: 'flows to a terminating pod break',
    proofs: [[life, 'keeps its connection while it drains, and takes no other (kr#1865)']],
    remark: 'On the node that has the connection; on one that it moves to, a pod that terminates is none to choose.',
  },
  {
    id: 'kr#985, kr#1055',
    what: 'an annotation that changes nothing, in silence',
    proofs: [['scenarios/direct-return-limits.kernel.test.ts', '%s tells of a value that is none (kr#985, kr#1055)']],
  },
];
