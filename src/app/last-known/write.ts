/** Writes the facts down now and then, for a node that starts again while the API server is away. */

import { createHash } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Facts } from '../../core/facts.ts';
import type { ObjectFact } from '../../core/model/facts.ts';
import { factLine, footerLine, headerLine } from './document.ts';

export interface LastKnownWriterInput {
  readonly path: string;
  /** Read anew for each writing. */
  readonly facts: Facts;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly onTrouble: (error: unknown) => void;
  /** Before the first writing and between two; a few seconds and a minute unless told otherwise. */
  readonly pauseMs?: number;
}

export interface LastKnownWriter {
  /** Something changed. */
  due(): void;
  /** Resolves when nothing is being written any more. */
  stop(): Promise<void>;
}

/** A cluster changes all the time; what is a minute old serves as well. */
const minuteMs = 60_000;
const firstMs = 5_000;
/** Objects that are turned to text at a time, between which everything else has its turn. */
const pieceObjects = 100;

export function createLastKnownWriter(input: LastKnownWriterInput): LastKnownWriter {
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  let pauseMs = input.pauseMs ?? firstMs;
  return {
    due: () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        pauseMs = input.pauseMs ?? minuteMs;
        writing = writing.then(() => write(input)).catch(input.onTrouble);
      }, pauseMs).unref();
    },
    stop: () => {
      clearTimeout(timer);
      return writing;
    },
  };
}

/** Whole or not at all: the node may go down at any moment. Throws what the file system says. */
async function write({ path, facts, now }: LastKnownWriterInput): Promise<void> {
  const unfinished = `${path}.new`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(unfinished, 'w', 0o600);
  try {
    const hash = createHash('sha256');
    const put = async (text: string): Promise<void> => {
      hash.update(text);
      await file.write(text);
    };
    await put(headerLine(facts.nodeName, now()));
    const objects = objectsOf(facts);
    for (let at = 0; at < objects.length; at += pieceObjects) {
      await put(
        objects
          .slice(at, at + pieceObjects)
          .map(factLine)
          .join(''),
      );
    }
    await file.write(footerLine(hash.digest('hex')));
    await file.sync();
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
}

/** As they are now; facts are never changed in place. Of Nodes our own alone: the others' addresses may have moved. */
function objectsOf({ node, services, slices, serviceCIDRs }: Facts): readonly ObjectFact[] {
  const nodes = node === undefined ? [] : [{ kind: 'Node', fact: node } as const];
  return [
    ...nodes,
    ...[...serviceCIDRs.values()].map((fact) => ({ kind: 'ServiceCIDR', fact }) as const),
    ...[...services.values()].map((fact) => ({ kind: 'Service', fact }) as const),
    ...[...slices.values()].flat().map((fact) => ({ kind: 'EndpointSlice', fact }) as const),
  ];
}
