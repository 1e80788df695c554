/** A prerequisite that is not there and that this run could not provide. */
export class UnmetPrerequisiteError extends Error {
  override readonly name = 'UnmetPrerequisiteError';

  /** `next` is one imperative sentence: what the reader is to do now. */
  constructor(what: { readonly expected: string; readonly found: string; readonly next: string }, cause?: unknown) {
    super(`expected ${what.expected}; found ${what.found}. ${what.next}`, { cause });
  }
}
