/**
 * Options of Node.js that the program is shipped with, in its first line and in the entrypoint of the image: an agent waits for changes most of the time and must
 * not keep one waiting, on a node whose cores are for others. What each does to changes and pauses is in
 * docs/performance.md.
 */
export const shippedNodeOptions = [
  // V8 compiles and collects garbage in four threads beside the one that works, however many cores there are. With one core,
  // or a limit of one, a change waits for all of them.
  '--v8-pool-size=1',
  // MiB. All that survives in the young generation is copied in one pause, and with thousands of Services much does: 16
  // MiB, the default, took up to a tenth of a second.
  '--max-semi-space-size=2',
  // Percent. A garbage collection of everything copies what lives in the young generation object by object, in one pause, but
  // for pages of which so much lives, which it keeps as they are. With 70, the default, the longest of a start was 22 to 47 ms.
  '--page-promotion-threshold=30',
  // Once a burst of changes is over, V8 gives a tenth of the heap back, in pauses of up to a tenth of a second.
  '--no-memory-reducer',
] as const;
