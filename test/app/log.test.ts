import { describe, expect, it } from 'vitest';
import { type Log, type LogInput, longestText, makeLog } from '../../src/app/log.ts';

function record(options: Partial<LogInput>, write: (log: Log) => void): string {
  let text = '';
  const destination = { write: (part: string) => (text += part) };
  write(makeLog({ level: 'info', format: 'json', destination, ...options }));
  return text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME');
}

describe('the log', () => {
  it('is one JSON object a line', () => {
    const text = record({}, (log) => log.info({ service: 'default/web' }, 'Service refused'));
    expect(text).toBe('{"level":"info","time":"TIME","service":"default/web","msg":"Service refused"}\n');
  });

  it('leaves out what is below its level', () => {
    const text = record({ level: 'warn' }, (log) => {
      log.info({}, 'quiet');
      log.warn({}, 'loud');
    });
    expect(text).toContain('loud');
    expect(text).not.toContain('quiet');
  });

  it('is readable as text', () => {
    const text = record({ format: 'text' }, (log) => log.warn({ service: 'default/web', why: 'two words' }, 'Refused'));
    expect(text).toBe('TIME warn  Refused service=default/web why="two words"\n');
  });

  it('shows an error by its message in text', () => {
    const text = record({ format: 'text' }, (log) => log.error({ err: new Error('EINVAL: no') }, 'Failed'));
    expect(text).toBe('TIME error Failed err="EINVAL: no"\n');
  });

  it('keeps code and message of an error in JSON, and the stack only of a fault of the program', () => {
    const known = record({}, (log) => log.error({ err: Object.assign(new Error('no'), { code: 'EINVAL' }) }, 'x'));
    expect(JSON.parse(known)).toMatchObject({ err: { message: 'no', code: 'EINVAL' } });
    expect(known).not.toContain('stack');
    expect(record({}, (log) => log.error({ err: new TypeError('bug') }, 'x'))).toContain('stack');
  });

  it('colours the level only when asked to', () => {
    const coloured = record({ format: 'text', colours: true }, (log) => log.error({}, 'x'));
    expect(coloured).toContain('\u001b[31merror\u001b[0m');
  });

  it('never writes much of what a tenant wrote', () => {
    const huge = 'x'.repeat(1_000_000);
    const nested = { a: { b: { c: { d: { e: huge } } } } };
    const many = Array.from({ length: 10_000 }, () => huge);
    const text = record({}, (log) => log.warn({ huge, nested, many, err: new Error(huge) }, huge));
    expect(text.length).toBeLessThan(longestText * 30);
    expect(JSON.parse(text)).toMatchObject({ huge: `${'x'.repeat(longestText)}… (1000000)` });
  });

  it('lets nobody forge a line', () => {
    const text = record({ format: 'text' }, (log) => log.warn({ name: 'a\nTIME error forged' }, 'b\nc\u001b[31m'));
    expect(text.trimEnd().split('\n')).toHaveLength(1);
    expect(text).not.toContain('\u001b');
  });
});
