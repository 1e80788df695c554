import { describe, expect, it } from 'vitest';
import { type Frame, groupOfLine, outermost, type Place, placeOf } from './frame-group.ts';

function native(functionName: string): Frame {
  return { functionName, url: '', source: undefined };
}

function node(module: string): Frame {
  return { functionName: 'some', url: `node:${module}`, source: undefined };
}

function from(source: string, functionName = 'some'): Frame {
  return { functionName, url: 'file:///programs/sluice.mjs', source };
}

/** The place of the last of the frames, each of which is called by the one before it. */
function placeUnder(...frames: readonly Frame[]): Place {
  return frames.reduce((caller, frame) => placeOf(frame, caller), outermost);
}

function groupUnder(...frames: readonly Frame[]): string {
  return placeUnder(...frames).group;
}

describe('a function counts', () => {
  it('for the folder of its source', () => {
    expect(groupUnder(from('src/kube/watch/lines.ts'))).toBe('kube/watch');
    expect(groupUnder(from('src/app/loop.ts'))).toBe('app');
    expect(groupUnder(from('src/main.ts'))).toBe('main');
    expect(groupUnder(from('test/bench/inside/api-server.ts'))).toBe('the benchmark');
  });

  it('in the core for the phase that it is called in, outside of these for its file', () => {
    expect(groupUnder(from('src/core/compile-all.ts'), from('src/core/endpoints.ts'))).toBe('core/compile');
    expect(groupUnder(from('src/core/plan.ts'), from('src/core/keys.ts'), from('src/core/marks.ts'))).toBe('core/plan');
    expect(groupUnder(from('src/app/loop.ts'), from('src/core/keys.ts'))).toBe('core/keys');
    expect(groupUnder(from('src/core/model/vip.ts'))).toBe('core/model');
  });

  it('as loading where it is a module itself, what the bundler adds, or a package that is being loaded', () => {
    expect(groupUnder(from('src/app/agent.ts', 'src/app/agent.ts'))).toBe('loading and compiling the program');
    const bundler: Frame = { functionName: '__init', url: 'file:///programs/sluice.mjs', source: undefined };
    expect(groupUnder(bundler)).toBe('loading and compiling the program');
    expect(groupUnder(bundler, from('node_modules/yaml/index.js'))).toBe('loading and compiling the program');
    expect(groupUnder(from('src/app/log.ts'), from('node_modules/pino/pino.js'))).toBe('packages');
  });

  it('in Node.js for what it serves', () => {
    expect(groupUnder(node('_http_client'), node('events'))).toBe('Node.js: sockets, streams, HTTP');
    expect(groupUnder(node('internal/modules/esm/loader'), node('fs'))).toBe('loading and compiling the program');
    expect(groupUnder(from('src/kube/watch/lines.ts'), node('buffer'))).toBe('Node.js: text and bytes');
    expect(groupUnder(from('src/kube/clock.ts'), node('internal/perf/performance'), native('now'))).toBe(
      'Node.js: clock',
    );
  });

  it('for its caller where it is native, and for itself where it is no function', () => {
    expect(groupUnder(from('src/kube/clock.ts'), native('sort'))).toBe('kube');
    expect(groupUnder(native('(root)'), native('(garbage collector)'))).toBe('garbage collection');
    expect(groupUnder(native('(root)'), native('(idle)'))).toBe('idle');
  });
});

describe('a line counts', () => {
  const span = placeUnder(from('src/kernel/ipvs/apply.ts'), from('src/kernel/netlink/span.ts'));

  it('as the system call that it makes, for the folder on whose behalf', () => {
    expect(groupOfLine('length = handle.exchange(bytes, end);', span)).toBe(
      'system call: send and receive, kernel/ipvs',
    );
    const sockopt = placeUnder(from('src/kernel/ipvs/sockopt.ts'));
    expect(groupOfLine('const done = handle.getEach(option, buffer);', sockopt)).toBe(
      'system call: getsockopt, kernel/ipvs',
    );
  });

  it('as JSON wherever it is', () => {
    expect(groupOfLine('raw = JSON.parse(line);', placeUnder(from('src/kube/watch/events.ts')))).toBe('JSON.parse');
  });

  it('with the rest of its function otherwise', () => {
    expect(groupOfLine('handle.close();', span)).toBe('kernel/netlink');
    expect(groupOfLine('handle.get(key)', placeUnder(from('src/app/loop.ts')))).toBe('app');
  });
});
