/** The table of kube-proxy's settings (1.36): each field of KubeProxyConfiguration v1alpha1 and each flag. */

import type { ForeignSetting } from './foreign-setting.ts';
import { honoured, ignored, refused } from './meaning.ts';
import {
  detectLocalMode,
  featureGates,
  healthzPort,
  masqueradeBit,
  metricsPort,
  proxyMode,
  scheduler,
  verbosity,
} from './translations.ts';

type Row = Omit<ForeignSetting, 'program'>;

const noGo = 'it belongs to the Go runtime';
const fewRequests = 'sluice asks the API server for three lists and their watches, in JSON';
const otherModes = 'it is for a mode that sluice has not; ipvs.syncPeriod and ipvs.minSyncPeriod count';
const windows = 'it is for Windows';
const logDetail = 'sluice writes one line per event, at once, to standard output';

const client: readonly Row[] = [
  { field: 'clientConnection.kubeconfig', flag: 'kubeconfig', type: 'string', meaning: honoured('kubeconfig') },
  { flag: 'master', type: 'string', meaning: honoured('master') },
  { field: 'clientConnection.acceptContentTypes', type: 'string', meaning: ignored(fewRequests) },
  contentType('clientConnection.contentType', 'kube-api-content-type'),
  { field: 'clientConnection.qps', flag: 'kube-api-qps', type: 'number', meaning: ignored(fewRequests) },
  { field: 'clientConnection.burst', flag: 'kube-api-burst', type: 'integer', meaning: ignored(fewRequests) },
  {
    field: 'configSyncPeriod',
    flag: 'config-sync-period',
    type: 'duration',
    meaning: ignored('sluice keeps no second copy that could differ; the kernel is audited every ipvs.syncPeriod'),
  },
  { field: 'featureGates', flag: 'feature-gates', type: 'switches', meaning: featureGates },
];

const node: readonly Row[] = [
  { field: 'hostnameOverride', flag: 'hostname-override', type: 'string', meaning: honoured('hostname-override') },
  { field: 'bindAddress', flag: 'bind-address', type: 'string', meaning: honoured('bind-address') },
  { field: 'clusterCIDR', flag: 'cluster-cidr', type: 'string', meaning: honoured('cluster-cidr') },
  {
    field: 'nodePortAddresses',
    flag: 'nodeport-addresses',
    type: 'strings',
    meaning: honoured('nodeport-addresses'),
  },
  { field: 'detectLocalMode', flag: 'detect-local-mode', type: 'string', meaning: detectLocalMode },
  {
    field: 'detectLocal.bridgeInterface',
    flag: 'pod-bridge-interface',
    type: 'string',
    meaning: honoured('pod-bridge-interface'),
  },
  {
    field: 'detectLocal.interfaceNamePrefix',
    flag: 'pod-interface-name-prefix',
    type: 'string',
    meaning: honoured('pod-interface-name-prefix'),
  },
];

const ipvs: readonly Row[] = [
  { field: 'mode', flag: 'proxy-mode', type: 'string', meaning: proxyMode },
  { field: 'ipvs.scheduler', flag: 'ipvs-scheduler', type: 'string', meaning: scheduler },
  { field: 'ipvs.syncPeriod', flag: 'ipvs-sync-period', type: 'duration', meaning: honoured('ipvs-sync-period') },
  {
    field: 'ipvs.minSyncPeriod',
    flag: 'ipvs-min-sync-period',
    type: 'duration',
    meaning: honoured('ipvs-min-sync-period'),
  },
  { field: 'ipvs.excludeCIDRs', flag: 'ipvs-exclude-cidrs', type: 'strings', meaning: honoured('excluded-cidrs') },
  { field: 'ipvs.strictARP', flag: 'ipvs-strict-arp', type: 'boolean', meaning: honoured('ipvs-strict-arp') },
  { field: 'ipvs.tcpTimeout', flag: 'ipvs-tcp-timeout', type: 'duration', meaning: honoured('ipvs-tcp-timeout') },
  {
    field: 'ipvs.tcpFinTimeout',
    flag: 'ipvs-tcpfin-timeout',
    type: 'duration',
    meaning: honoured('ipvs-tcpfin-timeout'),
  },
  { field: 'ipvs.udpTimeout', flag: 'ipvs-udp-timeout', type: 'duration', meaning: honoured('ipvs-udp-timeout') },
];

const masquerade: readonly Row[] = [
  {
    field: 'iptables.masqueradeBit',
    flag: 'iptables-masquerade-bit',
    type: 'integer',
    zeroCounts: true,
    countsIn: 'other modes',
    meaning: masqueradeBit,
  },
  {
    field: 'iptables.masqueradeAll',
    flag: 'masquerade-all',
    type: 'boolean',
    countsIn: 'other modes',
    meaning: honoured('masquerade-all'),
  },
  {
    field: 'nftables.masqueradeBit',
    type: 'integer',
    zeroCounts: true,
    countsIn: 'nftables',
    meaning: masqueradeBit,
  },
  { field: 'nftables.masqueradeAll', type: 'boolean', countsIn: 'nftables', meaning: honoured('masquerade-all') },
  {
    field: 'iptables.localhostNodePorts',
    flag: 'iptables-localhost-nodeports',
    type: 'boolean',
    meaning: ignored('IPVS serves no node port on the loopback', ['false']),
  },
  { field: 'iptables.syncPeriod', flag: 'iptables-sync-period', type: 'duration', meaning: ignored(otherModes) },
  { field: 'iptables.minSyncPeriod', flag: 'iptables-min-sync-period', type: 'duration', meaning: ignored(otherModes) },
  { field: 'nftables.syncPeriod', type: 'duration', meaning: ignored(otherModes) },
  { field: 'nftables.minSyncPeriod', type: 'duration', meaning: ignored(otherModes) },
];

const host: readonly Row[] = [
  number('conntrack.maxPerCore', 'conntrack-max-per-core'),
  number('conntrack.min', 'conntrack-min'),
  duration('conntrack.tcpEstablishedTimeout', 'conntrack-tcp-timeout-established'),
  duration('conntrack.tcpCloseWaitTimeout', 'conntrack-tcp-timeout-close-wait'),
  {
    field: 'conntrack.tcpBeLiberal',
    flag: 'conntrack-tcp-be-liberal',
    type: 'boolean',
    meaning: honoured('conntrack-tcp-be-liberal'),
  },
  duration('conntrack.udpTimeout', 'conntrack-udp-timeout'),
  duration('conntrack.udpStreamTimeout', 'conntrack-udp-timeout-stream'),
  number('oomScoreAdj', 'oom-score-adj'),
];

const watching: readonly Row[] = [
  {
    field: 'healthzBindAddress',
    flag: 'healthz-bind-address',
    type: 'string',
    meaning: honoured('healthz-bind-address'),
  },
  { flag: 'healthz-port', type: 'integer', meaning: healthzPort },
  {
    field: 'metricsBindAddress',
    flag: 'metrics-bind-address',
    type: 'string',
    meaning: honoured('metrics-bind-address'),
  },
  { flag: 'metrics-port', type: 'integer', meaning: metricsPort },
  {
    field: 'bindAddressHardFail',
    flag: 'bind-address-hard-fail',
    type: 'boolean',
    meaning: honoured('bind-address-hard-fail'),
  },
  { field: 'enableProfiling', flag: 'profiling', type: 'boolean', meaning: ignored(noGo, ['false']) },
  {
    field: 'showHiddenMetricsForVersion',
    flag: 'show-hidden-metrics-for-version',
    type: 'string',
    meaning: ignored('sluice hides no metrics'),
  },
  { field: 'logging.format', flag: 'logging-format', type: 'string', meaning: honoured('log-format') },
  { field: 'logging.verbosity', flag: 'v', short: 'v', type: 'integer', meaning: verbosity },
  { field: 'logging.flushFrequency', flag: 'log-flush-frequency', type: 'anything', meaning: ignored(logDetail) },
  { field: 'logging.vmodule', flag: 'vmodule', type: 'anything', meaning: ignored(logDetail) },
  { field: 'logging.options', type: 'anything', meaning: ignored(logDetail) },
  ...[
    'log-json-info-buffer-size',
    'log-text-info-buffer-size',
    // Flags of older versions, which many manifests still have.
    'log-backtrace-at',
    'log-dir',
    'log-file',
    'log-file-max-size',
    'stderrthreshold',
  ].map((flag): Row => ({ flag, type: 'string', meaning: ignored(logDetail) })),
  ...[
    'log-json-split-stream',
    'log-text-split-stream',
    'logtostderr',
    'alsologtostderr',
    'add-dir-header',
    'one-output',
    'skip-headers',
    'skip-log-headers',
  ].map((flag): Row => ({ flag, type: 'boolean', meaning: ignored(logDetail) })),
];

const rest: readonly Row[] = [
  { flag: 'config', type: 'string', meaning: honoured('config') },
  { flag: 'cleanup', type: 'boolean', meaning: honoured('cleanup-config') },
  { flag: 'init-only', type: 'boolean', meaning: honoured('init-only') },
  {
    flag: 'write-config-to',
    type: 'string',
    meaning: refused(
      'sluice writes no configuration file, and kube-proxy would exit after it',
      'Leave it out; /configz of the metrics server shows what is in force',
    ),
  },
  { field: 'portRange', type: 'string', meaning: ignored('kube-proxy itself has no use for it any more') },
  { field: 'winkernel', type: 'anything', meaning: ignored(windows) },
  { field: 'windowsRunAsService', flag: 'windows-service', type: 'boolean', meaning: ignored(windows, ['false']) },
];

export const kubeProxySettings: readonly ForeignSetting[] = [
  ...client,
  ...node,
  ...ipvs,
  ...masquerade,
  ...host,
  ...watching,
  ...rest,
].map((row) => ({ program: 'kube-proxy', ...row }));

function number(field: string, flag: string): Row {
  return { field, flag, type: 'integer', zeroCounts: true, meaning: honoured(flag) };
}

function duration(field: string, flag: string): Row {
  return { field, flag, type: 'duration', zeroCounts: true, meaning: honoured(flag) };
}

function contentType(field: string, flag: string): Row {
  return {
    field,
    flag,
    type: 'string',
    meaning: ignored(fewRequests, ['application/json', 'application/vnd.kubernetes.protobuf']),
  };
}
