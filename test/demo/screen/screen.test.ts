import { expect, test } from 'vitest';
import { line, type StepResult, table } from '../step.ts';
import { makePaint } from './paint.ts';
import { makeScreen } from './screen.ts';

const step: StepResult = {
  title: 'Two pods answer',
  blocks: [
    table(
      ['from', 'pods'],
      [
        ['outside', 'web-0 web-1'],
        ['a pod', 'web-1'],
      ],
    ),
    line('that was all'),
  ],
  checks: [
    { what: 'pods', expected: 'web-0', found: 'web-0' },
    { what: 'lost requests', expected: '', found: 'one\ntwo' },
  ],
};

test('a step without a terminal is plain lines, with what was expected and found where a check failed', () => {
  expect(shown({ colours: false, showsProgress: false })).toBe(
    [
      '✘ 1 Two pods answer 1.5 s',
      '  from     pods',
      '  outside  web-0 web-1',
      '  a pod    web-1',
      '  that was all',
      '  ✘ lost requests',
      '      expected nothing',
      '      found    one',
      '               two',
      '1 of 2 checks failed in 3 s',
      '',
    ].join('\n'),
  );
});

test('on a terminal what is being done vanishes, and names have their colours', () => {
  const text = shown({ colours: true, showsProgress: true });
  expect(text).toContain('… asking');
  expect(text).toContain('\r\u001b[2K');
  expect(text).toContain('\u001b[32mweb-0\u001b[39m \u001b[36mweb-1\u001b[39m');
});

function shown({ colours, showsProgress }: { readonly colours: boolean; readonly showsProgress: boolean }): string {
  let text = '';
  const screen = makeScreen({ write: (part) => (text += part), paint: makePaint(colours), showsProgress });
  screen.begins('asking');
  screen.ended(step, 1.5);
  screen.finished([step], 3.2);
  return text;
}
