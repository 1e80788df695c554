/** Bugs of kube-router's service proxy, direct server return apart (`direct-return.ts`), as far as they could be a proxy's of this kind. */

import type { Fault, Proof } from './index.ts';

const reconciler = 'app/reconciler/reconciler.test.ts';
const packets: Proof = [
  'scenarios/packets.kernel.test.ts',
  'every packet goes where the table says, and trace says so beforehand',
];
const cleanup: Proof = [
  'scenarios/foreign.kernel.test.ts',
  'leaves a node as it was before, and everything of others alone (18.6, #55857)',
];

export const kubeRouterFaults: readonly Fault[] = [
  {
    id: 'kr#962, kr#964, kr#486, kr#879',
    what: 'syncs of seconds',
    proofs: [
      ['faults/sync-cost.test.ts', 'a change of endpoints reads nothing and writes one destination for each frontend'],
    ],
  },
  {
    id: 'kr#978, kr#253, kr#1026',
    what: 'objects of no concern trigger full syncs',
    proofs: [
      ['faults/sync-cost.test.ts', 'nothing new costs nothing'],
      ['core/facts.test.ts', 'touch nothing when a Node says what it said before'],
    ],
  },
  {
    id: 'kr#831, kr#912, kr#2162',
    what: 'the liveness probe kills a slow but working process',
    proofs: [['app/health/health.test.ts', 'is good however long nothing happens']],
  },
  {
    id: 'kr#674, kr#1072, kr#1081, kr#1732, kr#1918, kr#1927',
    what: 'ipset races, sets of others destroyed',
    proofs: [cleanup],
    remark: 'No ipset; one nftables table of its own.',
  },
  {
    id: 'kr#411, kr#438',
    what: 'stale VIPs on the dummy interface',
    proofs: [[reconciler, 'mends at an audit what others broke']],
  },
  {
    id: 'kr#513, kr#383, kr#1698',
    what: 'left-over local or IPv6 routes black-hole a VIP',
    proofs: [
      ['kernel/link/contract.ts', 'leaves nothing behind, and takes the removal of what is absent as done'],
      ['kernel/link/contract.ts', 'shows that the kernel’s own route is in front, and puts that right'],
    ],
  },
  {
    id: 'kr#829, kr#830, kr#1685',
    what: 'virtual servers of others deleted',
    proofs: [
      [reconciler, 'leaves what others made'],
      ['app/loop.test.ts', 'leaves a virtual server of somebody else on one of its VIPs alone, and says so'],
    ],
  },
  {
    id: 'kr#968, kr#464, kr#1021, kr#1084, kr#973',
    what: 'cleanup incomplete, or aborted',
    proofs: [
      cleanup,
      ['scenarios/foreign.kernel.test.ts', 'goes on after an error, lists it, and finishes the next time'],
    ],
  },
  {
    id: 'kr#1328',
    what: 'virtual servers of firewall marks deleted as stale',
    proofs: [[reconciler, 'writes nothing when it starts again on what it left']],
  },
  {
    id: 'kr#1045',
    what: 'colliding firewall marks',
    proofs: [['core/marks.test.ts', 'are distinct, inside the mask, never 0, and the same when asked again']],
  },
  {
    id: 'kr#899, kr#1533, kr#413, kr#457',
    what: 'stale UDP flows to dead endpoints',
    proofs: [['core/stale-flows.test.ts', 'is stale when its answers are to come from no serving endpoint']],
  },
  {
    id: 'kr#572, kr#599, kr#911',
    what: 'a draining endpoint that returns is deleted; the queue is lost with the process',
    proofs: [[reconciler, 'goes on after a restart, and gives a returning endpoint its weight back']],
  },
  {
    id: 'kr#910',
    what: 'a change of the affinity timeout is not applied',
    proofs: [['core/plan.test.ts', 'edit a virtual server in which %s differs']],
  },
  {
    id: 'kr#9, kr#637, kr#934, kr#967, kr#1158, kr#1196',
    what: 'hairpin broken or off',
    proofs: [['kernel/nft/datapath.kernel.test.ts', 'masquerades a pod that reaches itself'], packets],
  },
  { id: 'kr#466, kr#495', what: 'Local policies black-hole clients of nodes without endpoints', proofs: [packets] },
  {
    id: 'kr#557, kr#819, kr#835, kr#836',
    what: 'service.local means one thing, then another',
    proofs: [['core/compile.test.ts', 'service.local makes the external policy Local and the internal one Cluster']],
  },
  {
    id: 'kr#1012',
    what: 'a VIP withdrawn while another Service shares it',
    proofs: [['core/desired.test.ts', 'stands until the last of several Services lets go']],
  },
  {
    id: 'kr#1442, kr#254, kr#262',
    what: 'gaps in dual stack',
    proofs: [['core/compile.test.ts', 'of both families lead to endpoints of their own'], packets],
  },
  {
    id: 'kr#282, kr#1209',
    what: 'an external IP exposes the node’s own ports',
    proofs: [
      [
        'scenarios/faults.kernel.test.ts',
        'S6: a daemon on 0.0.0.0 does not answer on a ClusterIP or a load-balancer IP',
      ],
    ],
  },
  {
    id: 'kr#685',
    what: 'blocked ICMP breaks path MTU discovery',
    proofs: [['kernel/nft/datapath.kernel.test.ts', 'lets a VIP answer to ping']],
    remark: 'The rule that lets a VIP answer to ping lets ICMP errors in too, packet-too-big among them.',
  },
  {
    id: 'kr#618',
    what: 'order against the host’s firewall',
    proofs: [
      [
        'scenarios/faults.kernel.test.ts',
        'S16: input. IPVS comes after it, so that it must let Services in; then everything works',
      ],
    ],
  },
  {
    id: 'metallb#2991',
    what: 'strict validation of addresses broke users',
    proofs: [['core/admit-addresses.test.ts', 'are of one kind of address each; outside is programmed and reported']],
  },
  {
    id: 'kr#139, kr#217, kr#719, kr#826',
    what: 'no choice of node-port addresses',
    proofs: [['app/node-port-addresses.test.ts', 'node ports are served (S12, #65459)']],
  },
  {
    id: 'kr#1069, kr#1370, kr#1415, kr#1588',
    what: 'iptables in two kinds, missing match modules',
    proofs: [],
    remark: 'No iptables: one nftables table, its elements by netlink.',
  },
  {
    id: 'kr#307, kr#470, kr#635, kr#1148, kr#1558',
    what: 'IPv6 late and in part',
    proofs: [
      packets,
      ['scenarios/ipv6-only.kernel.test.ts', 'serves ClusterIP and node port (#65006, #92412, #93858)'],
    ],
  },
  {
    id: 'kr#712',
    what: 'a crash on the tombstone of an object',
    proofs: [
      ['kube/watch/lists-and-resume.test.ts', 'an object deleted while disconnected is deleted after the resume'],
    ],
  },
];
