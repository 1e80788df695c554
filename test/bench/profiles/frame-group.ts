/** What a function is counted as, by where its source lies and by whom it is called. */

export interface Frame {
  readonly functionName: string;
  /** Empty for what is not JavaScript. */
  readonly url: string;
  /** Relative to the root of the checkout; undefined for Node.js, and for what the bundler adds. */
  readonly source: string | undefined;
}

export interface Place {
  /** A row of the table. */
  readonly group: string;
  /** The nearest folder of our own code above that is not the one all netlink calls go through. */
  readonly onBehalfOf: string;
}

export const idle = 'idle';
const loading = 'loading and compiling the program';
const network = 'Node.js: sockets, streams, HTTP';

export const outermost: Place = { group: 'everything else', onBehalfOf: '' };

/** What is not a function (`ProfileGenerator::EntryForVMState` in V8). */
const states: Readonly<Record<string, string>> = {
  '(idle)': idle,
  '(garbage collector)': 'garbage collection',
  '(program)': 'Node.js: native code, no JavaScript above it',
};

export function placeOf(frame: Frame, caller: Place): Place {
  return frame.source === undefined
    ? { ...caller, group: groupWithoutSource(frame, caller) }
    : placeInSource(frame, frame.source, caller);
}

function groupWithoutSource({ functionName, url }: Frame, caller: Place): string {
  if (url === '') {
    return states[functionName] ?? caller.group;
  }
  // What the bundler adds calls the modules, and its time is V8's, which reads them.
  return url.startsWith('node:') ? groupInNode(url.slice('node:'.length), caller) : loading;
}

const loaders =
  /^(?:internal\/(?:modules|bootstrap|main|vm|source_map|deps\/cjs-module-lexer|process\/pre_execution)|vm)\b/;
const networkModules =
  /^(?:net|https?|_http_|_?tls|_stream|stream|dns|zlib|internal\/(?:streams?|stream_base_commons|http|net|dns|tls|webstreams|js_stream_socket|deps\/undici))/;

/** Modules that serve all others are counted with whom they serve. */
function groupInNode(module: string, { group }: Place): string {
  if (loaders.test(module)) {
    return loading;
  }
  if (networkModules.test(module) || group === network) {
    return network;
  }
  return group === loading ? loading : serviceOf(module);
}

function serviceOf(module: string): string {
  if (module.startsWith('internal/perf')) {
    return 'Node.js: clock';
  }
  if (/^(?:buffer|string_decoder|internal\/(?:buffer|encoding))/.test(module)) {
    return 'Node.js: text and bytes';
  }
  return /^(?:timers|events|async_hooks|internal\/(?:timers|async_hooks|process\/task_queues|process\/promises))/.test(
    module,
  )
    ? 'Node.js: timers, events, promises'
    : 'Node.js: the rest';
}

function placeInSource({ functionName }: Frame, source: string, caller: Place): Place {
  // The bundler names the function that holds a module's own code for the module.
  if (functionName === source) {
    return { ...caller, group: loading };
  }
  if (source.startsWith('node_modules/')) {
    return { ...caller, group: caller.group === loading ? loading : 'packages' };
  }
  const group = ownGroup(source, caller.group);
  return { group, onBehalfOf: group === 'kernel/netlink' ? caller.onBehalfOf : group };
}

const phases: readonly string[] = ['core/compile', 'core/plan'];

/** The folder below `src`; in the core, whose files have none, the phase in which it is called, else the file. */
function ownGroup(source: string, caller: string): string {
  if (!source.startsWith('src/')) {
    return source.startsWith('test/') ? 'the benchmark' : (source.split('/', 1)[0] ?? source);
  }
  const folders = source.split('/').slice(1, -1);
  if (folders[0] !== 'core') {
    return folders.length === 0 ? 'main' : folders.slice(0, 2).join('/');
  }
  const phase = phases.find((name) => source.startsWith(`src/${name}`));
  return phase ?? (phases.includes(caller) ? caller : source.replace(/^src\/(core\/[^/.]+).*$/, '$1'));
}

/** Methods of the addon by the system call they stand for. */
const systemCalls: Readonly<Record<string, string>> = {
  exchange: 'send and receive',
  send: 'send',
  receive: 'receive',
  get: 'getsockopt',
  getEach: 'getsockopt',
};

/**
 * What one line of a function is counted as. V8 counts native functions, the addon's too, for the function that calls
 * them, but notes the line. `text` is the line, or all lines of a call down to it.
 */
export function groupOfLine(text: string, { group, onBehalfOf }: Place): string {
  const json = /\bJSON\.(?:parse|stringify)\(/.exec(text);
  if (json !== null) {
    return json[0].slice(0, -1);
  }
  const method = group.startsWith('kernel/') ? /\bhandle\.(\w+)\(/.exec(text)?.[1] : undefined;
  const call = method === undefined ? undefined : systemCalls[method];
  return call === undefined ? group : `system call: ${call}, ${onBehalfOf}`;
}
