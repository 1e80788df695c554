/** What a refusal of the API server means for us. */

import { excerpt, isJsonObject } from '../project/json.ts';
import type { SourceFailure, SourceFailureCode } from '../source.ts';

/** From the HTTP status and the body, which is a `Status` object when the API server itself answered. */
export function failureOfResponse(httpStatus: number, body: string): SourceFailure {
  return failureOfStatus(parse(body), httpStatus);
}

/** From a `Status` object, as in an ERROR event. */
export function failureOfStatus(status: unknown, httpStatus = 0): SourceFailure {
  const fields = isJsonObject(status) ? status : {};
  const code = typeof fields['code'] === 'number' ? fields['code'] : httpStatus;
  const text = typeof fields['message'] === 'string' ? `${code}: ${excerpt(fields['message'])}` : `${code}`;
  return { code: codeOf(code, fields), message: `the API server answered ${text}` };
}

type Fields = Readonly<Record<string, unknown>>;

/** A version from the future (etcd was restored) is as useless as one too old: both need a new list. */
function codeOf(code: number, fields: Fields): SourceFailureCode {
  const { reason, message } = fields;
  const isAhead = typeof message === 'string' && message.includes('Too large resource version');
  if (code === 410 || reason === 'Expired' || reason === 'Gone' || isAhead) {
    return 'expired';
  }
  switch (code) {
    case 401:
      return 'unauthorized';
    case 403:
      return 'forbidden';
    case 404:
      return 'missing';
    case 429:
      return 'throttled';
    case 400:
    case 422:
      return 'unsupported';
    default:
      return 'refused';
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
