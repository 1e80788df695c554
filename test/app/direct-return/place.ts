import type { PodTunnelFailure } from '../../../src/app/direct-return/failure.ts';
import { formatRecord, parseRecord } from '../../../src/app/direct-return/pod-record.ts';
import type { PodRecords } from '../../../src/app/direct-return/pod-records.ts';
import { createPodTunnels, type PodTunnels } from '../../../src/app/direct-return/pod-tunnels.ts';
import type { PodTunnel } from '../../../src/core/model/pod-tunnel.ts';
import type { ContainerRuntimePort, PodSandbox } from '../../../src/cri/container-runtime.ts';
import { fakePodNetwork } from '../../../src/kernel/fake/pod-network.ts';
import { fakeReversePath } from '../../../src/kernel/fake/reverse-path.ts';

/** A node with pods, their runtime and what is recorded of them; several runs of the controller may follow each other. */
export function makePlace() {
  const network = fakePodNetwork();
  network.addPod('/proc/self/ns/net');
  const reversePath = fakeReversePath();
  const files = new Map<string, string>();
  const sandboxes = new Map<string, PodSandbox>();
  const events: string[] = [];
  const asked: string[] = [];
  const place = {
    network,
    reversePath,
    files,
    sandboxes,
    /** What the observer was told, in order. */
    events,
    /** Pods that the runtime was asked for. */
    asked,
    runtime: runtimeOf(sandboxes, asked) as ContainerRuntimePort | PodTunnelFailure,
    /** Every question waits for it. */
    gate: Promise.resolve() as Promise<unknown>,
    changes: 0,
    addPod: (pod: string, address: string, given: Partial<PodSandbox> = {}): void => {
      const id = `sandbox-of-${pod}`;
      const path = `/run/netns/${pod.replace('/', '-')}`;
      network.addPod(path, { addresses: [address] });
      sandboxes.set(id, { id, pod, addresses: [address], networkNamespace: path, isHostNetwork: false, ...given });
    },
    removePod: (pod: string): void => {
      sandboxes.delete(`sandbox-of-${pod}`);
      network.removePod(`/run/netns/${pod.replace('/', '-')}`);
    },
    start: (): PodTunnels => {
      const tunnels = createPodTunnels({
        network,
        reversePath,
        records: recordsIn(files),
        runtime: async () => {
          await place.gate;
          return place.runtime;
        },
        hostRoot: '',
        onChange: () => {
          place.changes += 1;
        },
        observer: {
          prepared: ({ address, vips }) => events.push(`prepared ${address} ${vips.join(' ')}`),
          restored: ({ address }, how) => events.push(`${how} ${address}`),
          troubled: (what, _, retryInMs) => events.push(`troubled: ${what}, again in ${retryInMs} ms`),
        },
        auditPeriodMs: 60_000,
      });
      return tunnels;
    },
  };
  return place;
}

/** Wanted tunnels by address. */
export function wanted(...tunnels: readonly PodTunnel[]): ReadonlyMap<string, PodTunnel> {
  return new Map(tunnels.map((tunnel) => [tunnel.address, tunnel]));
}

export function web(given: Partial<PodTunnel> = {}): PodTunnel {
  return { address: '10.1.0.2', pod: 'default/web', vips: ['198.51.100.7'], encapsulation: 'ipip', ...given };
}

/** Through text, as on disk. */
function recordsIn(files: Map<string, string>): PodRecords {
  return {
    load: () => {
      const read = [...files].map(([name, text]) => ({ name, record: parseRecord(text) }));
      return {
        records: read.map(({ record }) => record).filter((record) => record !== undefined),
        illegible: read.filter(({ record }) => record === undefined).map(({ name }) => name),
      };
    },
    save: (record) => {
      files.set(record.tunnel.address, formatRecord(record));
    },
    remove: (address) => {
      files.delete(address);
    },
  };
}

function runtimeOf(sandboxes: ReadonlyMap<string, PodSandbox>, asked: string[]): ContainerRuntimePort {
  return {
    findSandboxes: async (pod) => {
      asked.push(pod);
      return [...sandboxes.values()].filter((sandbox) => sandbox.pod === pod);
    },
    readSandbox: async (id) => sandboxes.get(id),
    close: () => {},
  };
}
