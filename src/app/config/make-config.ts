import type { Config } from './config.ts';

/** The configuration with what is given, and every default with its reason. */
export function makeConfig(given: Partial<Config> = {}): Config {
  return {
    configFile: undefined,
    // In a pod the service account is there; elsewhere a file is named.
    kubeconfig: undefined,
    master: undefined,
    // The API server is the source unless a folder is named.
    manifests: undefined,
    // The kubelet registers the node under its host name unless told otherwise, and so do its peers.
    hostnameOverride: undefined,
    // The Node object says it.
    bindAddress: undefined,
    // Unknown pod ranges: nothing is taken for a pod, so no source keeps its address where it would break replies.
    clusterCIDRs: [],
    // kube-proxy's default.
    detectLocalMode: 'ClusterCIDR',
    podBridgeInterface: undefined,
    podInterfaceNamePrefix: undefined,
    // The API server says it since 1.33; a guess would cut off what really has such an address.
    serviceClusterIPRanges: [],
    // What kube-proxy's IPVS mode does. `primary` is tighter, but would close ports on a switch from kube-proxy.
    nodePortAddresses: 'all',
    // Spreads the connections of a single client too. kube-proxy's default.
    ipvsScheduler: 'rr',
    // kube-proxy's period: drift by another hand is mended within it, and health is measured in units of it.
    ipvsSyncPeriodMs: 30_000,
    // A change costs what changed: there is no need to wait for more. kube-proxy's default for IPVS.
    ipvsMinSyncPeriodMs: 0,
    // kube-router's period, and the pod's own default grace period: after it the process is gone anyway.
    ipvsGracefulPeriodMs: 30_000,
    excludedCIDRs: [],
    // Only the cluster's owner knows them.
    externalIPRanges: [],
    loadBalancerIPRanges: [],
    // A switch from kube-proxy must not close an address; what would be refused is reported.
    strictExternalIPs: false,
    // kube-router's name; kube-proxy's kube-ipvs0 would be deleted by kube-proxy's own clean-up.
    vipInterface: 'kube-dummy-if',
    // Addresses are what people and scripts look for. Routes alone are faster beyond some thousand VIPs.
    vipMode: 'address',
    // Only what needs it: source addresses are worth keeping.
    masqueradeAll: false,
    // kube-proxy's bit (iptables.masqueradeBit 14), which other agents already leave alone.
    masqueradeMark: 0x4000,
    // The bits below kube-proxy's 0x4000 and 0x8000. Calico may take all above them (iptablesMarkMask 0xffff0000 in
    // felix/config), and a bit of sluice's there would tell its rules that a policy has accepted the packet.
    fwmarkMask: 0x3fff,
    // Stale addresses may be other pods' by now: who wants them asks for them.
    lastKnownState: undefined,
    lastKnownStateMaxAgeMs: 3_600_000,
    // It asks for more rights than NET_ADMIN: those to enter pods.
    directReturn: false,
    runtimeEndpoint: undefined,
    hostRoot: '',
    // What it tells of does not outlive the node's run, and neither does /run.
    podRecords: '/run/sluice/direct-return',
    // kube-proxy's port; load balancers outside the cluster probe it.
    healthzBindAddress: { address: '0.0.0.0', port: 10256 },
    // kube-proxy's port; loopback only, since metrics tell the names of Services.
    metricsBindAddress: { address: '127.0.0.1', port: 10249 },
    // A port that is taken for a moment is no reason to end. kube-proxy's default.
    bindAddressHardFail: false,
    // kube-router, which may run beside us for its routes, listens on 20244 itself.
    healthPort: 0,
    healthAddr: '',
    metricsPath: '/metrics',
    // kube-proxy's defaults, all of these: the node is as it was with kube-proxy.
    conntrackMaxPerCore: 32_768,
    conntrackMin: 131_072,
    conntrackTcpEstablishedMs: 86_400_000,
    conntrackTcpCloseWaitMs: 3_600_000,
    conntrackUdpMs: 0,
    conntrackUdpStreamMs: 0,
    conntrackTcpBeLiberal: false,
    ipvsTcpTimeoutMs: 0,
    ipvsTcpFinTimeoutMs: 0,
    ipvsUdpTimeoutMs: 0,
    ipvsStrictARP: false,
    oomScoreAdj: -999,
    logLevel: 'info',
    // Collectors parse it; people choose text.
    logFormat: 'json',
    cleanup: false,
    cleanupOf: [],
    initOnly: false,
    ...given,
  };
}
