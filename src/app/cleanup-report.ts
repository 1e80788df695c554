/** What became of everything that a clean-up came across. */
export interface CleanupReport {
  readonly removed: readonly string[];
  readonly kept: readonly { readonly what: string; readonly why: string }[];
  readonly failed: readonly { readonly what: string; readonly error: string }[];
}
