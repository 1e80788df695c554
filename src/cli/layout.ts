/** Text in columns of a given width. */

/** Breaks text at spaces into lines of at most `width`; a longer word stands alone. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

export interface Entry {
  readonly term: string;
  readonly text: string;
}

export interface EntryLayout {
  /** Where the explanation starts; a longer term gets a line of its own. */
  readonly indent: number;
  readonly columns: number;
  readonly styleTerm: (term: string) => string;
}

/** A term at the left, its wrapped explanation at the right. */
export function formatEntry({ term, text }: Entry, { indent, columns, styleTerm }: EntryLayout): readonly string[] {
  const lines = wrap(text, Math.max(20, columns - indent));
  const left = `  ${styleTerm(term)}`;
  if (term.length + 4 > indent) {
    return [left, ...lines.map((line) => ' '.repeat(indent) + line)];
  }
  const [first = '', ...rest] = lines;
  return [`${left}${' '.repeat(indent - 2 - term.length)}${first}`, ...rest.map((line) => ' '.repeat(indent) + line)];
}
