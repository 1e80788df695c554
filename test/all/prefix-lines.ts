/** Turns chunks of output into whole lines with a prefix. */
export function prefixLines(
  prefix: string,
  print: (line: string) => void,
): { readonly write: (chunk: Buffer) => void; readonly end: () => void } {
  const decoder = new TextDecoder();
  let unfinished = '';
  return {
    write: (chunk) => {
      const lines = (unfinished + decoder.decode(chunk, { stream: true })).split('\n');
      unfinished = lines.pop() ?? '';
      for (const line of lines) print(`${prefix}${line}`);
    },
    end: () => {
      if (unfinished !== '') print(`${prefix}${unfinished}`);
    },
  };
}
