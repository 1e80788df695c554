import { type RestoreWork, restorePod } from './prepare-pod.ts';

/** Pods by `namespace/name (address)`. */
export interface RestoredPods {
  readonly restored: readonly string[];
  readonly failed: readonly { readonly what: string; readonly error: string }[];
}

/** Makes every recorded pod what it was before. Goes on after an error, and lists it. */
export function restoreAllPods(work: RestoreWork): RestoredPods {
  const restored: string[] = [];
  const failed: { what: string; error: string }[] = [];
  try {
    const { records, illegible } = work.records.load();
    for (const what of illegible) {
      failed.push({
        what: `record ${what}`,
        error: 'it cannot be read; look into the pods of this node for kube-tunnel-if and kube-tunnel-v6',
      });
    }
    for (const record of records) {
      const what = `network of pod ${record.tunnel.pod} (${record.tunnel.address})`;
      try {
        if (restorePod(work, record) === 'restored') {
          restored.push(what);
        }
      } catch (error) {
        failed.push({ what, error: messageOf(error) });
      }
    }
  } catch (error) {
    failed.push({ what: 'records of prepared pods', error: messageOf(error) });
  }
  return { restored, failed };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
