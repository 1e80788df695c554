import { expect, it, vi } from 'vitest';
import { readAnswer, tell } from './child.ts';

it('finds the answer among what V8 prints when it is asked to trace', () => {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  tell({ tookMs: 7 });
  const told = String(write.mock.calls[0]?.[0]);
  write.mockRestore();
  const trace = '[100:0x6c8f000]     4580 ms: Scavenge 99.4 (105.0) -> 97.4 (105.0) MB\n';
  expect(readAnswer(`${trace}${told}${trace}`)).toEqual({ tookMs: 7 });
});

it('says what it found instead of an answer', () => {
  expect(() => readAnswer('one\ntwo\n')).toThrow('expected an answer of the program, found "two"');
});
