import { describe, expect, it } from 'vitest';
import { callText } from './call-text.ts';

const lines = [
  'if (ready) {',
  '  const done = handle.getEach(',
  '    option,',
  '    count - from',
  '  );',
  '  from += done;',
];

describe('the text of a line', () => {
  it('has the beginning of the call whose argument stands there', () => {
    expect(callText(lines, 4)).toBe('  const done = handle.getEach(    option,    count - from');
  });

  it('is the line alone where it is no argument', () => {
    expect(callText(lines, 2)).toBe('  const done = handle.getEach(');
    expect(callText(lines, 6)).toBe('  from += done;');
    expect(callText(lines, 7)).toBe('');
  });
});
