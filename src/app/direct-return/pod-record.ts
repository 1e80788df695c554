/** What is written down of a pod before its network is changed, so that it can be restored whatever happens to us. */

import type { PodTunnel } from '../../core/model/pod-tunnel.ts';
import type { PodNamespace, PodTunnelReading } from '../../kernel/ports.ts';

export interface PodRecord {
  /** What was asked for last: all that may be in the pod, whether it was made or not. */
  readonly tunnel: PodTunnel;
  /** The runtime's id of the pod's sandbox, which is never given twice. */
  readonly sandbox: string;
  readonly namespace: PodNamespace;
  /** What the namespace had before. */
  readonly before: PodTunnelReading;
  /** The node's end of the pod's link, where its reverse-path check was in the way. */
  readonly hostLink?: HostLink | undefined;
}

export interface HostLink {
  readonly index: number;
  readonly name: string;
  /** `net.ipv4.conf.NAME.rp_filter` before. */
  readonly rpFilter: number;
}

/** As text of the file. */
export function formatRecord(record: PodRecord): string {
  return `${JSON.stringify({ version, ...record }, undefined, 2)}\n`;
}

/** Undefined for what is no record of this version: cut short, or another's file. */
export function parseRecord(text: string): PodRecord | undefined {
  const document = parsed(text);
  if (!isObject(document) || document['version'] !== version) {
    return undefined;
  }
  const { tunnel, sandbox, namespace, before, hostLink } = document;
  if (!isTunnel(tunnel) || typeof sandbox !== 'string' || !isNamespace(namespace) || !isReading(before)) {
    return undefined;
  }
  if (hostLink !== undefined && !isHostLink(hostLink)) {
    return undefined;
  }
  const { device, tunnel: found, gue } = before;
  return { tunnel, sandbox, namespace, before: { device, tunnel: found, gue }, hostLink };
}

const version = 1;

type Fields = Readonly<Record<string, unknown>>;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isTunnel(value: unknown): value is PodTunnel {
  return (
    isObject(value) &&
    hasTexts(value, ['address', 'pod']) &&
    isTexts(value['vips']) &&
    (value['encapsulation'] === 'ipip' || value['encapsulation'] === 'gue')
  );
}

function isNamespace(value: unknown): value is PodNamespace {
  return isObject(value) && hasTexts(value, ['path', 'identity']);
}

function isHostLink(value: unknown): value is HostLink {
  return isObject(value) && hasTexts(value, ['name']) && hasNumbers(value, ['index', 'rpFilter']);
}

/** JSON leaves out what is undefined. */
function isReading(value: unknown): value is PodTunnelReading {
  if (!isObject(value)) {
    return false;
  }
  const { device, tunnel, gue } = value;
  return (
    (device === undefined || isDevice(device)) &&
    (tunnel === undefined || isTunnelDevice(tunnel)) &&
    (gue === undefined || typeof gue === 'boolean')
  );
}

function isDevice(value: unknown): boolean {
  return isObject(value) && hasTexts(value, ['name']) && hasNumbers(value, ['arpIgnore', 'arpAnnounce']);
}

function isTunnelDevice(value: unknown): boolean {
  return (
    isObject(value) &&
    hasTexts(value, ['kind']) &&
    hasNumbers(value, ['rpFilter']) &&
    typeof value['isUp'] === 'boolean' &&
    typeof value['isOurs'] === 'boolean' &&
    isTexts(value['vips']) &&
    (value['local'] === undefined || typeof value['local'] === 'string')
  );
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasTexts(value: Fields, names: readonly string[]): boolean {
  return names.every((name) => typeof value[name] === 'string');
}

function hasNumbers(value: Fields, names: readonly string[]): boolean {
  return names.every((name) => typeof value[name] === 'number');
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
