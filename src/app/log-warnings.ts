import { type ConfigNotice, warningsOf } from './config/notice.ts';
import { type Log, whole } from './log.ts';

/** One line for each kind of thing that a person should know of the configuration. */
export function logWarnings(log: Log, notices: readonly ConfigNotice[]): void {
  for (const { message, settings } of warningsOf(notices)) {
    log.warn({ settings: whole(settings) }, message);
  }
}
