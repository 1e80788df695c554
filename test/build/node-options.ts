/**
 * Options of Node.js that the program is shipped with, in its first line. V8 collects garbage and compiles in four threads beside
 * the one that works, however many cores there are: where there is one core, or a limit of one, a change waits for all of
 * them. Neither a start nor an audit is slower with a single one (docs/performance.md).
 */
export const shippedNodeOptions = ['--v8-pool-size=1'] as const;
