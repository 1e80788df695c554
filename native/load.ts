import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { IpvsSockoptHandle, NetlinkHandle } from './types.ts';

/** What `sluice.node` exports. Arguments are positional and checked again in C++. */
export interface Addon {
  readonly NetlinkSocket: new (
    protocol: number,
    networkNamespace: string | undefined,
    receiveBufferBytes: number,
    sendBufferBytes: number,
    groups: readonly number[],
  ) => NetlinkHandle;
  readonly IpvsSockopt: new (networkNamespace: string | undefined) => IpvsSockoptHandle;
  readonly withNetworkNamespace: <Result>(path: string, callback: () => Result) => Result;
}

/** Why the addon could not be loaded. */
export type AddonLoadReason = 'addon-missing' | 'addon-wrong-architecture' | 'addon-wrong-libc' | 'addon-unloadable';

/** The addon is missing or does not fit this machine. The message says what to do. */
export class AddonLoadError extends Error {
  override readonly name = 'AddonLoadError';
  readonly code: AddonLoadReason;

  constructor(code: AddonLoadReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Where `sluice.node` may lie, relative to this module. `native/` in the source tree and `dist/sluice.mjs` in a
 * bundle are both one level below the root of the package; an image may keep the addon beside the bundle.
 */
const locations = ['../build/Release/sluice.node', './sluice.node'];

/** Loads the addon on first use. Throws `AddonLoadError`. */
export const loadAddon = once(() =>
  loadAddonFrom(locations.map((each) => fileURLToPath(new URL(each, import.meta.url)))),
);

/** Loads the first of `paths` that exists. Throws `AddonLoadError`. */
export function loadAddonFrom(paths: readonly string[]): Addon {
  const path = paths.find((each) => existsSync(each));
  if (path === undefined) {
    const message = `the native addon is missing, run "npm run build"; looked for ${paths.join(', ')}`;
    throw new AddonLoadError('addon-missing', message);
  }
  try {
    // The one boundary where the shape of the binary is taken on trust; it is built from this same tree.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return createRequire(import.meta.url)(path) as Addon;
  } catch (cause) {
    throw describeFailure(path, cause);
  }
}

function describeFailure(path: string, cause: unknown): AddonLoadError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const here = `this is Node ${process.version} on ${process.arch}`;
  // The texts are those of the dynamic loaders: glibc's dl-load.c and elf_get_dynamic, musl's dynlink.c.
  if (/wrong ELF class|invalid ELF header|Exec format error|cannot open shared object file: No such file/.test(text)) {
    const reason = /cannot open shared object/.test(text) ? 'addon-wrong-libc' : 'addon-wrong-architecture';
    return new AddonLoadError(reason, `${path} was built for another machine (${here}): ${text}`, { cause });
  }
  if (/GLIBC|libc\.musl|ld-musl|libc\.so|symbol not found|Error relocating/.test(text)) {
    return new AddonLoadError('addon-wrong-libc', `${path} was built for another C library (${here}): ${text}`, {
      cause,
    });
  }
  return new AddonLoadError('addon-unloadable', `${path} could not be loaded (${here}): ${text}`, { cause });
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
