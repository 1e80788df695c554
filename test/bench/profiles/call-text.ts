/** Arguments of one call stand on so many lines at most. */
const longest = 8;

/**
 * A line, counted from 1, together with the beginning of the call whose arguments it holds: V8 notes the last of them
 * for a call on several lines.
 */
export function callText(lines: readonly string[], line: number): string {
  let text = lines[line - 1] ?? '';
  for (let above = line - 2; above >= 0 && above > line - 2 - longest; above -= 1) {
    const before = lines[above] ?? '';
    if (before.endsWith('(')) {
      return `${before}${text}`;
    }
    if (!before.endsWith(',')) {
      break;
    }
    text = `${before}${text}`;
  }
  return lines[line - 1] ?? '';
}
