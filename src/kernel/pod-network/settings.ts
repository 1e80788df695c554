/** What the settings of a pod's interfaces have to be for direct server return (Documentation/networking/ip-sysctl.rst). */

/**
 * Of the tunnel device: a client is never to be reached through it, so strict would drop every packet. The kernel takes
 * the larger of this and `all`, in which 2, loose, beats a strict 1 and 0 does not.
 */
export const looseReversePath = 2;

/** Answer for addresses of the interface that is asked alone; a stricter value stays. */
export function arpIgnoreWith(before: number): number {
  return Math.max(before, 1);
}

/** Ask with an address of the interface that the question goes out of. */
export function arpAnnounceWith(before: number): number {
  return Math.max(before, 2);
}
