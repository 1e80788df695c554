/** Reads no file: for command lines that name none. */
export function noFile(path: string): string {
  throw new Error(`ENOENT: ${path}`);
}
