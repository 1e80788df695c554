import type { Protocol } from '../world/places.ts';

/** Where requests go. */
export interface Target {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
}

/** What a responder told about one exchange. */
export interface Answer {
  /** The name of the responder, usually its pod's. */
  readonly answeredBy: string;
  readonly sourceSeen: string;
  readonly sourcePortSeen: number;
  /** The address and port the request had when it arrived. */
  readonly destinationSeen: string;
  readonly destinationPortSeen: number;
  readonly microseconds: number;
}

/**
 * Why there was no answer. "timeout" is a drop: silence, or EPERM for a drop in the sender's own output hook. "reset"
 * and "closed" end a connection that was made.
 */
export type Failure = 'refused' | 'timeout' | 'unreachable' | 'reset' | 'closed';

/** How one exchange went. */
export type RequestResult = Answer | Failure;

/** Whether there was an answer. */
export function isAnswer(result: RequestResult): result is Answer {
  return typeof result !== 'string';
}

/** How often each name, or each failure, is among the results. */
export function countAnswers(results: readonly RequestResult[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const result of results) {
    const name = isAnswer(result) ? result.answeredBy : result;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

const failures: readonly string[] = ['refused', 'timeout', 'unreachable', 'reset', 'closed'] satisfies Failure[];

/** Reads a result as the traffic program writes it. Throws on an error of the program or of the test's own making. */
export function parseResult(text: string): RequestResult {
  const [kind = '', ...words] = text.split(' ');
  if (failures.includes(kind)) return kind as Failure;
  const [answeredBy, sourceSeen, sourcePort, destinationSeen, destinationPort, microseconds] = words;
  if (kind !== 'answer' || answeredBy === undefined || sourceSeen === undefined || destinationSeen === undefined) {
    throw new Error(`the traffic program could not send: ${text}`);
  }
  return {
    answeredBy,
    sourceSeen,
    sourcePortSeen: Number(sourcePort),
    destinationSeen,
    destinationPortSeen: Number(destinationPort),
    microseconds: Number(microseconds),
  };
}
