import { expect, it } from 'vitest';
import { type AttemptEnd, type Course, initialCourse, nextCourse } from '../../../src/kube/watch/course.ts';

const end: AttemptEnd = {
  kind: 'watch',
  failure: undefined,
  retryAfterMs: undefined,
  openMs: undefined,
  hasProgressed: false,
};
const failed = (code: 'expired' | 'unreachable', kind: AttemptEnd['kind'] = 'watch'): AttemptEnd => ({
  ...end,
  kind,
  failure: { code, message: code },
});
const listed: AttemptEnd = { ...end, kind: 'streamed-list', openMs: 5_000, hasProgressed: true };
const watching: Course = { ...initialCourse, next: 'watch' };

it('lists at once when the version expired during an outage, however long the outage was', () => {
  let course = watching;
  for (let attempt = 0; attempt < 8; attempt += 1) {
    course = nextCourse(course, failed('unreachable'), () => 1).course;
  }
  const { course: next, delayMs } = nextCourse(course, failed('expired'), () => 1);
  expect([next.next, delayMs]).toEqual(['streamed-list', 0]);
});

it('waits when the server refuses also the version of the list that it has just given', () => {
  const first = nextCourse(watching, failed('expired'), () => 1).course;
  const again = nextCourse(first, listed, () => 1).course;
  expect(again.next).toBe('watch');
  expect(nextCourse(again, failed('expired'), () => 1).delayMs).toBeGreaterThan(500);
});
