/**
 * Faults of other proxies and what proves that they are not sluice's: `S…` and `18.…` are faults of kube-proxy's IPVS
 * mode, `trap` what users run into whatever the proxy, `kr…` bugs of kube-router's proxy. `#n` are issues of
 * kubernetes/kubernetes, `kr#n` of cloudnativelabs/kube-router. `index.test.ts` holds that every test named here exists.
 */

/** A test by its file, below `test/`, and its title as it stands there. */
export type Proof = readonly [file: string, title: string];

export interface Fault {
  readonly id: string;
  readonly what: string;
  readonly proofs: readonly Proof[];
  /** Why it cannot concern sluice, or what remains of it and where that is written. */
  readonly remark?: string;
}

const packets: Proof = [
  'scenarios/packets.kernel.test.ts',
  'every packet goes where the table says, and trace says so beforehand',
];
const order: Proof = [
  'scenarios/order.kernel.test.ts',
  'lets no packet past a guard while 2,000 Services are made, and while they go',
];

function scenario(title: string): Proof {
  return ['scenarios/faults.kernel.test.ts', title];
}

export const faults: readonly Fault[] = [
  // Semantics.
  {
    id: 'S1',
    what: 'eTP=Local without a local endpoint falls back to all endpoints, unmasqueraded',
    proofs: [
      scenario('S1: eTP=Local without a local endpoint drops clients outside and answers probes with 503'),
      packets,
    ],
  },
  {
    id: 'S2',
    what: 'eTP=Local: clients in the cluster get local endpoints only',
    proofs: [scenario('S2: eTP=Local shows clients inside every endpoint'), packets],
  },
  {
    id: 'S3',
    what: 'iTP=Local without a local endpoint refuses, or falls back',
    proofs: [scenario('S3: iTP=Local without a local endpoint drops at the ClusterIP, and nowhere else'), packets],
  },
  {
    id: 'S4',
    what: 'from the node to a load-balancer IP with eTP=Local the source is the VIP',
    proofs: [
      scenario('S4: a node’s own packet to a load-balancer IP with eTP=Local comes from the node, never from the VIP'),
      packets,
    ],
  },
  {
    id: 'S5',
    what: 'affinity is per VIP and port; a template outlives its timeout',
    proofs: [
      ['core/compile.test.ts', 'persist per client with the affinity’s timeout, but for the inside view (S5)'],
      [
        'scenarios/affinity-lifetime.kernel.test.ts',
        'outlives its timeout by what its last connection takes to be forgotten, and up to 60 s more (S5)',
      ],
    ],
    remark:
      'The kernel keeps affinity for each virtual server, with its own timer: docs/semantics.md, Session affinity.',
  },
  {
    id: 'S6',
    what: 'host services on 0.0.0.0 answer on VIPs',
    proofs: [scenario('S6: a daemon on 0.0.0.0 does not answer on a ClusterIP or a load-balancer IP'), order],
  },
  {
    id: 'S7',
    what: 'the filter against S6 blocks node services, node ports and health checks where the VIP is the node’s address',
    proofs: [
      scenario(
        'S7, #114815: a load-balancer IP that is the node’s own address leaves the node’s daemons, node ports and probes alone',
      ),
      scenario('S7: a health check of eTP=Local answers at the load-balancer IP itself'),
      [
        'scenarios/health-check.kernel.test.ts',
        'the address of the load balancer itself answers, and its other ports do not',
      ],
    ],
  },
  {
    id: 'S8',
    what: 'excluded CIDRs exempt from deletion only; the address is bound all the same',
    proofs: [
      [
        'core/admit-addresses.test.ts',
        'is no Service’s, whatever kind it is (S8 of kube-proxy: only deletion was exempt)',
      ],
    ],
  },
  {
    id: 'S9',
    what: 'source ranges are not applied to traffic from the node',
    proofs: [
      [
        'scenarios/source-ranges.kernel.test.ts',
        'let it alone reach the load-balancer IPs, and leave every other frontend open (S9, S10)',
      ],
    ],
  },
  {
    id: 'S10',
    what: 'the source ranges of one load balancer hit others',
    proofs: [
      [
        'scenarios/source-ranges.kernel.test.ts',
        'let it alone reach the load-balancer IPs, and leave every other frontend open (S9, S10)',
      ],
      [
        'core/source-ranges.test.ts',
        'restrict load-balancer IPs, not the ClusterIP, external IPs or node ports (#62638)',
      ],
    ],
  },
  {
    id: 'S12',
    what: 'node ports on all addresses of the node, bridges of others included',
    proofs: [
      ['app/node-port-addresses.test.ts', 'node ports are served (S12, #65459)'],
      ['scenarios/addresses.kernel.test.ts', 'is on no address of another proxy’s interface'],
    ],
    remark: 'A choice, by --nodeport-addresses; docs/flags.md.',
  },
  {
    id: 'S13',
    what: 'no node ports on VIPs and loopback',
    proofs: [
      [
        'kernel/link/contract.ts',
        'knows the addresses of the node but not those of the VIP interface, and the default source (S13, #129147)',
      ],
    ],
    remark: 'Kept: a node port on a VIP would be a port that no Service has there.',
  },
  { id: 'S14', what: 'ping of a VIP changed by the filter against S6', proofs: [scenario('S14: VIPs answer ping')] },
  {
    id: 'S15',
    what: 'a port of a VIP with the number of a node port is masqueraded as one',
    proofs: [
      scenario('S15: a port of a VIP with the number of a node port is no node port: the client is seen as itself'),
    ],
  },
  {
    id: 'S16',
    what: 'another’s input policy drop kills node ports',
    proofs: [scenario('S16: input. IPVS comes after it, so that it must let Services in; then everything works')],
    remark:
      'IPVS takes packets after every filter of the hook input, and no table can take back what another one drops: the firewall must let node ports and service ranges in, as with kube-proxy’s nftables mode.',
  },
  {
    id: 'S17',
    what: 'another’s forward policy drop breaks Services',
    proofs: [
      scenario(
        'S17: forward. Packets to endpoints do not pass it; answers are established and pass where that is let through',
      ),
    ],
    remark:
      'Packets to endpoints do not go through the hook forward. Answers do; every firewall lets established ones pass.',
  },
  {
    id: 'S18',
    what: 'probes whose source is the VIP, bound locally, are never answered',
    proofs: [['kube/project/service.test.ts', 'of a load balancer only addresses with ipMode VIP count (S18)']],
  },

  // kube-ipvs0 and addresses.
  {
    id: '#127410',
    what: 'an external or load-balancer IP that is another node’s address cuts that node off',
    proofs: [['scenarios/addresses.kernel.test.ts', 'among %s does not cut that Node off (#127410)']],
  },
  {
    id: '#114815',
    what: 'a load-balancer IP that is the node’s own breaks node ports and host services',
    proofs: [
      scenario(
        'S7, #114815: a load-balancer IP that is the node’s own address leaves the node’s daemons, node ports and probes alone',
      ),
      [
        'scenarios/addresses.kernel.test.ts',
        'from the start: serves, and other ports stay with the node (load-balancer IP = node IP)',
      ],
    ],
  },
  {
    id: '#63241',
    what: 'from the node to a ClusterIP the source is the VIP',
    proofs: [scenario('#63241: a node’s own packet to a ClusterIP comes from the node, never from the VIP'), packets],
  },
  {
    id: '#129147',
    what: 'thousands of addresses on one device, which others take for the node’s',
    proofs: [
      [
        'kernel/link/contract.ts',
        'knows the addresses of the node but not those of the VIP interface, and the default source (S13, #129147)',
      ],
      ['kernel/link/contract.ts', 'adds routes alone in route mode'],
    ],
    remark: 'With --vip-mode=route there are no addresses at all.',
  },
  {
    id: '18.2',
    what: 'MetalLB needs strictARP',
    proofs: [scenario('18.2: with arp_ignore=1 (strictARP) the node’s NIC does not answer for VIPs')],
  },

  // Connections.
  {
    id: '#70747',
    what: 'conn_reuse_mode=1: SYN dropped for a second when a source port is used again',
    proofs: [
      scenario(
        '#81775, #70747: a source port that is used again goes to another endpoint when its own drains, and at once',
      ),
    ],
  },
  {
    id: '#81775',
    what: 'conn_reuse_mode=0: reused source ports keep a draining endpoint busy for ever; early removal cuts connections',
    proofs: [
      scenario(
        '#81775, #70747: a source port that is used again goes to another endpoint when its own drains, and at once',
      ),
      ['scenarios/drain.kernel.test.ts', 'keeps its connections and takes no new ones, as long as it is listed'],
    ],
  },
  {
    id: '#99162',
    what: 'no drain deadline',
    proofs: [
      [
        'scenarios/drain.kernel.test.ts',
        'keeps its connections for the grace period of ${graceSeconds} s and no longer (#99162)',
      ],
      ['app/reconciler/reconciler.test.ts', 'ends after the grace, which counts from when no slice lists the endpoint'],
    ],
  },
  {
    id: '#92019',
    what: 'a restart loses the drain list',
    proofs: [
      ['scenarios/drain.kernel.test.ts', 'is still on its way out after a restart of the agent (#92019)'],
      ['app/reconciler/reconciler.test.ts', 'goes on after a restart, and gives a returning endpoint its weight back'],
    ],
  },
  {
    id: '#108319',
    what: 'a ready endpoint stays at weight 0',
    proofs: [['scenarios/drain.kernel.test.ts', 'gets its weight back when it returns (#108319)']],
  },
  {
    id: '#71894',
    what: 'a deleted Service does not drain: its connections hang or end',
    proofs: [
      [
        'scenarios/drain.kernel.test.ts',
        'keeps its connections, takes no new ones, and is gone with the last of them (#71894)',
      ],
    ],
  },
  {
    id: '#71514',
    what: 'UDP stays on a dead endpoint for 300 s',
    proofs: [
      ['scenarios/drain.kernel.test.ts', 'hands its flows over with the next datagram, or the one after (#71514)'],
      ['scenarios/udp-flows.kernel.test.ts', 'leave an endpoint that died as soon as the API says so (#71514)'],
    ],
  },
  {
    id: '#125467',
    what: 'stale UDP flows when the proxy was down or late',
    proofs: [
      ['scenarios/udp-flows.kernel.test.ts', 'leave an endpoint that died while the agent was down (#125467)'],
      ['scenarios/udp-flows.kernel.test.ts', 'that went astray while no agent ran find the Service when it starts'],
      ['core/stale-flows.test.ts', 'that was made before there was a virtual server is stale (#125467)'],
    ],
  },
  {
    id: '#120076',
    what: 'udpTimeout without effect if conntrack’s is shorter',
    proofs: [],
    remark: 'Two timers of the kernel; sluice sets only what it is told to set.',
  },

  // Uneven scheduling.
  {
    id: '#121591',
    what: 'rr starts at the same endpoint on every node',
    proofs: [
      [
        'core/insertion-order.test.ts',
        'starts elsewhere on other nodes, and always in the same place on one (#121591)',
      ],
      [
        'core/plan.test.ts',
        'add what comes later in another order on other nodes too, as to a new virtual server (18.4, #121591)',
      ],
    ],
    remark: 'A single endpoint that comes later still stands first in the kernel’s list on every node.',
  },
  {
    id: '18.4',
    what: 'all weights are 1, so that weighted schedulers are plain ones',
    proofs: [['core/compile.test.ts', 'give every destination its slice’s weight and masquerade forwarding (18.4)']],
  },
  {
    id: '#75502',
    what: 'no scheduler per Service',
    proofs: [['core/compile.test.ts', 'take scheduler and flags from annotations, beside persistence (#75502)']],
  },
  {
    id: '#126378',
    what: 'no rebalancing after a backend returns; lc with one connection per client picks the same endpoint (#79213)',
    proofs: [],
    remark:
      'What a scheduler of the kernel on one node can know: it moves no connection, and counts those of its node only.',
  },

  // Sync cost and structure.
  {
    id: '18.5',
    what: 'each sync asks and writes for every Service; an ipset takes 65,536 entries',
    proofs: [
      ['faults/sync-cost.test.ts', '18.5: on a node with %i Services'],
      ['kernel/nft/contract.kernel.test.ts', 'takes more than 65,536 elements, where an ipset is full (18.5)'],
    ],
  },
  {
    id: '#133773',
    what: 'a cold node adds one entry at a time, masquerade last',
    proofs: [
      [
        'faults/sync-cost.test.ts',
        'the start takes a call for each phase, or for hundreds of operations and fifty VIPs (#133773, #88212)',
      ],
      order,
    ],
  },
  {
    id: '#88212',
    what: 'reading addresses takes most of the time of a sync',
    proofs: [
      [
        'faults/sync-cost.test.ts',
        'the start takes a call for each phase, or for hundreds of operations and fifty VIPs (#133773, #88212)',
      ],
    ],
  },
  {
    id: '#100925',
    what: 'the kernel’s log is flooded with “no destination available” under eTP=Local',
    proofs: [scenario('#100925: what the policy drops does not flood the kernel’s log')],
  },
  {
    id: '#135631',
    what: 'kernel state is not checked again when nothing changes',
    proofs: [
      ['scenarios/tampering.kernel.test.ts', 'is put back within the sync period, and counted: $what (#135631)'],
    ],
  },
  {
    id: 'estimators',
    what: 'rate estimators of all virtual servers run in one timer',
    proofs: [],
    remark: 'The kernel’s, mended there since 6.2; sluice adds no virtual server that no frontend needs.',
  },

  // IPv6 and dual stack.
  {
    id: '#65006',
    what: 'IPv6-only: addresses taken for IPv4; no node ports (#92412, #93858)',
    proofs: [
      ['scenarios/ipv6-only.kernel.test.ts', 'serves ClusterIP and node port (#65006, #92412, #93858)'],
      packets,
    ],
  },
  {
    id: '#96449',
    what: 'IPv6 endpoints are not updated: “file exists”, “no such file” (#101506)',
    proofs: [['scenarios/ipv6-only.kernel.test.ts', 'changes endpoints in place (#96449, #101506)']],
  },
  {
    id: '#97343',
    what: 'one address of the other family fails the whole sync (#80297)',
    proofs: [
      [
        'scenarios/ipv6-only.kernel.test.ts',
        'carries out the rest when one Service comes with an address of the other family (#97343, #80297)',
      ],
    ],
  },
  {
    id: 'moby/ipvs#27',
    what: 'a missing ip_vs is reported as success',
    proofs: [
      ['app/kernel.test.ts', 'is told of with what helps: ip_vs is missing (moby/ipvs#27: reported as success)'],
    ],
  },
  {
    id: '#55857',
    what: 'cleanup flushes virtual servers of others and leaves chains behind',
    proofs: [
      [
        'scenarios/foreign.kernel.test.ts',
        'leaves a node as it was before, and everything of others alone (18.6, #55857)',
      ],
    ],
  },
];

/** What users run into whatever the proxy. Several are in the list above by their number. */
export const traps: readonly Fault[] = [
  {
    id: '#88698',
    what: 'source ranges open where they should be closed, and the other way round',
    proofs: [
      [
        'kernel/nft/datapath.kernel.test.ts',
        'drops new connections of whoever is not among the allowed sources of a frontend (#88698, #119656)',
      ],
    ],
  },
  {
    id: '#62638',
    what: 'source ranges hit other Services',
    proofs: [
      [
        'core/source-ranges.test.ts',
        'restrict load-balancer IPs, not the ClusterIP, external IPs or node ports (#62638)',
      ],
    ],
  },
  {
    id: '#119656',
    what: 'source ranges ignore the port (#119791)',
    proofs: [
      [
        'kernel/nft/datapath.kernel.test.ts',
        'drops new connections of whoever is not among the allowed sources of a frontend (#88698, #119656)',
      ],
    ],
  },
  {
    id: '#65459',
    what: 'wrong set of node-port addresses',
    proofs: [['app/node-port-addresses.test.ts', 'node ports are served (S12, #65459)']],
  },
  {
    id: '#112185',
    what: 'headless Services, blank cluster IPs',
    proofs: [['kube/project/service.test.ts', 'of no concern (#112185) is']],
  },
];
