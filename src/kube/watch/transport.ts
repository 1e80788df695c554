/** What the reflectors need of HTTP. */

import type { Cancel } from '../clock.ts';
import type { SourceFailure } from '../source.ts';

export interface Transport {
  /** Sends a GET. After a cancel nothing is called any more. */
  get(path: string, handlers: ResponseHandlers): Cancel;
  /** The server did not accept who we are: credentials are read again for the next request. */
  forgetCredentials(): void;
  /** Closes every connection. */
  close(): void;
}

export interface ResponseHandlers {
  head(head: ResponseHead): void;
  /** Belongs to the receiver. */
  chunk(bytes: Buffer): void;
  /** Once, last. Undefined: the response is complete. */
  end(failure: SourceFailure | undefined): void;
}

export interface ResponseHead {
  readonly status: number;
  /** From Retry-After; undefined without one. */
  readonly retryAfterMs: number | undefined;
}
