/** Kinds of values that are paths on this node. */

import type { ValueKind } from './value-kinds.ts';

/** A folder that sluice writes to; relative ones would follow whoever starts it. */
export const folder: ValueKind<string> = {
  placeholder: 'DIR',
  expected: 'the absolute path of a folder',
  isList: false,
  parse: (text) =>
    isAbsolute(text) ? { ok: true, value: text } : { ok: false, remedy: 'Write a path that begins with /' },
  format: (value) => value,
};

/** The root of a file system seen from here; '' is our own. */
export const root: ValueKind<string> = {
  placeholder: 'DIR',
  expected: 'the absolute path of a folder',
  isList: false,
  parse: (text) => {
    const path = text.replace(/\/+$/, '');
    return path === '' || isAbsolute(path)
      ? { ok: true, value: path }
      : { ok: false, remedy: 'Write a path that begins with /' };
  },
  format: (value) => value,
};

/** A socket as the kubelet and kube-router write it (`unix:///run/x.sock`), or its path; undefined: none named. */
export const socket: ValueKind<string | undefined> = {
  placeholder: 'SOCKET',
  expected: 'the path of a Unix socket, or unix:// and the path',
  isList: false,
  parse: (text) => {
    const path = text.replace(/^unix:(\/\/)?/, '');
    return path === '' || isAbsolute(path)
      ? { ok: true, value: path === '' ? undefined : path }
      : { ok: false, remedy: 'Write it like unix:///run/containerd/containerd.sock' };
  },
  format: (value) => (value === undefined ? '' : `unix://${value}`),
};

function isAbsolute(path: string): boolean {
  return path.startsWith('/') && !path.includes('\0');
}
