/**
 * Cuts a stream of bytes at line feeds. Bytes, not text: a chunk may end inside a UTF-8 character, and a line feed
 * byte is never part of one.
 */

/** Takes the next chunk; false when a line grew beyond the cap, after which nothing more may be given. */
export type LineSplitter = (chunk: Buffer) => boolean;

/** Empty lines are passed over. A line is handed on without its line feed, while the call that completes it runs. */
export function createLineSplitter(longestLine: number, onLine: (line: string) => void): LineSplitter {
  let pieces: Buffer[] = [];
  let length = 0;
  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      if (length + end - start > longestLine) {
        return false;
      }
      const line = takeLine(chunk, start, end);
      if (line !== '') {
        onLine(line);
      }
      start = end + 1;
    }
    if (start < chunk.length) {
      pieces.push(chunk.subarray(start));
      length += chunk.length - start;
    }
    return length <= longestLine;
  };

  function takeLine(chunk: Buffer, start: number, end: number): string {
    if (pieces.length === 0) {
      return chunk.toString('utf8', start, end);
    }
    const whole = Buffer.concat([...pieces, chunk.subarray(start, end)]);
    pieces = [];
    length = 0;
    return whole.toString('utf8');
  }
}

const LF = 10;
