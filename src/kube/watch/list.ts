/** Lists page by page, for servers that do not stream lists. */

import { isJsonObject, type JsonObject } from '../project/json.ts';
import type { SourceFailure } from '../source.ts';
import { type Descriptor, pathOf } from './descriptor.ts';
import { type ExchangeEnd, type ExchangeInput, exchange } from './exchange.ts';

export interface ListInput extends Pick<ExchangeInput, 'transport' | 'clock' | 'signal'> {
  readonly descriptor: Descriptor;
  readonly onItem: (raw: unknown) => void;
  readonly onPageEnd: () => void;
  /** The list begins anew: what `onItem` got so far is void. */
  readonly onBegin: () => void;
}

export type ListEnd =
  | { readonly resourceVersion: string }
  | { readonly resourceVersion: undefined; readonly end: ExchangeEnd };

/**
 * Reads the newest list. A page token that expires on the way begins it anew in one piece: with pages the next token
 * would expire just so.
 */
export async function readList(input: ListInput): Promise<ListEnd> {
  input.onBegin();
  let token: string | undefined;
  let limit: string | undefined = pageSize;
  for (;;) {
    const page = await readPage(input, { limit, continue: token });
    if (page.content === undefined) {
      if (page.end.failure?.code !== 'expired' || token === undefined) {
        return { resourceVersion: undefined, end: page.end };
      }
      input.onBegin();
      token = undefined;
      limit = undefined;
    } else {
      page.content.items.forEach((item) => input.onItem(item));
      input.onPageEnd();
      token = page.content.continue;
      if (token === undefined) {
        return { resourceVersion: page.content.resourceVersion };
      }
    }
  }
}

/** Of 500 slices with 20 endpoints a page is parsed in about 25 ms. */
const pageSize = '500';
const pageDeadlineMs = 90_000;
const longestPage = 256 * 1024 * 1024;

interface PageContent {
  readonly items: readonly unknown[];
  readonly resourceVersion: string;
  /** Undefined on the last page. */
  readonly continue: string | undefined;
}

type Page = { readonly content: PageContent } | { readonly content: undefined; readonly end: ExchangeEnd };

async function readPage(input: ListInput, parameters: Readonly<Record<string, string | undefined>>): Promise<Page> {
  const chunks: Buffer[] = [];
  let length = 0;
  const end = await exchange({
    ...input,
    path: pathOf(input.descriptor, parameters),
    deadlineMs: pageDeadlineMs,
    onOpen: () => {},
    onChunk: (bytes) => {
      chunks.push(bytes);
      length += bytes.length;
      return length > longestPage
        ? { code: 'line-too-long', message: `a list of over ${longestPage} bytes` }
        : undefined;
    },
  });
  if (end.failure !== undefined || input.signal.aborted) {
    return { content: undefined, end };
  }
  const content = parsePage(Buffer.concat(chunks).toString('utf8'));
  const failure: SourceFailure = { code: 'line-malformed', message: 'the answer to a list request is no list' };
  return content === undefined ? { content, end: { ...end, failure } } : { content };
}

function parsePage(text: string): PageContent | undefined {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return undefined;
  }
  const metadata = isJsonObject(list) ? list['metadata'] : undefined;
  const resourceVersion = isJsonObject(metadata) ? metadata['resourceVersion'] : undefined;
  if (!isJsonObject(list) || !isJsonObject(metadata) || typeof resourceVersion !== 'string') {
    return undefined;
  }
  // Go writes an empty list as null.
  const items: unknown = list['items'] ?? [];
  return Array.isArray(items) ? { items, resourceVersion, continue: continueOf(metadata) } : undefined;
}

function continueOf(metadata: JsonObject): string | undefined {
  const token = metadata['continue'];
  return typeof token === 'string' && token !== '' ? token : undefined;
}
