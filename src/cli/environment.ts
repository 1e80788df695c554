import type { ProcessReading } from '../app/metrics/metrics.ts';

/** Where text goes. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY: boolean;
  /** The width of the terminal in characters; 80 when it is none. */
  readonly columns: number;
}

/** What a command knows of the process it runs in. */
export interface Environment {
  /** Without the interpreter and the script. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Output;
  readonly stderr: Output;
  /** The text of a file. Throws an Error that says what is wrong. */
  readonly readText: (path: string) => string;
  /** Aborted when the process is told to stop (SIGTERM, SIGINT). */
  readonly stop: AbortSignal;
  readonly readProcess: () => ProcessReading;
  readonly processId: number;
  readonly version: string;
}
