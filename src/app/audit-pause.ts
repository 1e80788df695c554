/** How often the kernel is read. */
export interface AuditRhythm {
  readonly auditPeriodMs: number;
  /** The period was asked for. Otherwise audits that take long come less often. */
  readonly isAuditPeriodExact?: boolean;
}

/** Of a core: a full reading takes nearly a second at 10,000 Services where system calls are dear, every half a minute. */
const mostForAudits = 0.005;

/** How long the next audit waits when the last one took `tookMs`. */
export function auditPauseMs({ auditPeriodMs, isAuditPeriodExact = false }: AuditRhythm, tookMs: number): number {
  return isAuditPeriodExact ? auditPeriodMs : Math.max(auditPeriodMs, tookMs / mostForAudits);
}
