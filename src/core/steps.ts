/** Long work in steps, between which whoever does it may let others have their turn. */

/** Each `next` does one step. */
export type Steps<Result> = Generator<undefined, Result, undefined>;

/** Does all steps at once. */
export function finish<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) {
      return step.value;
    }
  }
}

/** Whether a step ends behind this item: one of `stepItems` takes a few milliseconds at most. */
export function endsStep(index: number, stepItems: number): boolean {
  return index % stepItems === stepItems - 1;
}
