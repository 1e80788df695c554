/** The message of whatever was thrown; system errors name their code first where the message lacks it. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  // A connection tried on several addresses fails with one error for each (AggregateError).
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(messageOf).join('; ');
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return code === '' || error.message.includes(code) ? error.message : `${code}: ${error.message}`;
}
