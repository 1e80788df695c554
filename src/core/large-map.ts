/**
 * A Map for what there may be a hundred thousand of: it never stands still to grow. V8 copies a Map as a whole when it is
 * full, and everything waits for that. This one keeps the first ones as any Map does, and all further ones in parts that grow
 * each for itself. It takes longer to find an entry, so that it is worth its price only where each Service has one, or more.
 *
 * Goes through the first ones in the order in which they came, then through part after part.
 */
export class LargeMap<Value> extends Map<string, Value> {
  readonly #limit: number;
  /** Undefined while there were never more than the first ones. */
  #parts: readonly Map<string, Value>[] | undefined = undefined;
  #inParts = 0;

  /** `limit`: how many are the first ones. */
  constructor(limit = 4_096) {
    super();
    this.#limit = limit;
  }

  override get size(): number {
    return super.size + this.#inParts;
  }

  override get(key: string): Value | undefined {
    if (this.#parts === undefined) {
      return super.get(key);
    }
    // Most are there, where there are parts at all.
    return partOf(this.#parts, key).get(key) ?? super.get(key);
  }

  override has(key: string): boolean {
    return (this.#parts !== undefined && partOf(this.#parts, key).has(key)) || super.has(key);
  }

  override set(key: string, value: Value): this {
    if ((this.#parts === undefined && super.size < this.#limit) || super.has(key)) {
      return super.set(key, value);
    }
    this.#parts ??= Array.from({ length: partCount }, () => new Map<string, Value>());
    const part = partOf(this.#parts, key);
    const before = part.size;
    part.set(key, value);
    this.#inParts += part.size - before;
    return this;
  }

  override delete(key: string): boolean {
    if (this.#parts !== undefined && partOf(this.#parts, key).delete(key)) {
      this.#inParts -= 1;
      return true;
    }
    return super.delete(key);
  }

  override clear(): void {
    super.clear();
    this.#parts?.forEach((part) => part.clear());
    this.#inParts = 0;
  }

  override forEach(visit: (value: Value, key: string, map: Map<string, Value>) => void): void {
    super.forEach((value, key) => visit(value, key, this));
    this.#parts?.forEach((part) => part.forEach((value, key) => visit(value, key, this)));
  }

  override keys(): MapIterator<string> {
    return new PartsIterator(
      super.keys(),
      () => this.#parts,
      (part) => part.keys(),
    );
  }

  override values(): MapIterator<Value> {
    return new PartsIterator(
      super.values(),
      () => this.#parts,
      (part) => part.values(),
    );
  }

  override entries(): MapIterator<[string, Value]> {
    return new PartsIterator(
      super.entries(),
      () => this.#parts,
      (part) => part.entries(),
    );
  }

  override [Symbol.iterator](): MapIterator<[string, Value]> {
    return this.entries();
  }
}

/** Not a generator: one takes longer until it is compiled, and a start is over by then. */
class PartsIterator<Part, Item> implements MapIterator<Item> {
  #current: MapIterator<Item>;
  #begun = 0;
  readonly #parts: () => readonly Part[] | undefined;
  readonly #open: (part: Part) => MapIterator<Item>;

  /** Asks for the parts when it is through with the first ones: they may have come meanwhile. */
  constructor(
    first: MapIterator<Item>,
    parts: () => readonly Part[] | undefined,
    open: (part: Part) => MapIterator<Item>,
  ) {
    this.#current = first;
    this.#parts = parts;
    this.#open = open;
  }

  next(): IteratorResult<Item, undefined> {
    for (;;) {
      const step = this.#current.next();
      const part = step.done === true ? this.#parts()?.[this.#begun] : undefined;
      if (part === undefined) {
        return step;
      }
      this.#begun += 1;
      this.#current = this.#open(part);
    }
  }

  [Symbol.iterator](): this {
    return this;
  }
}

/** A power of two: with 50,000 Services there are 350,000 resources, a few thousand in each. */
const partCount = 64;

function partOf<Value>(parts: readonly Map<string, Value>[], key: string): Map<string, Value> {
  const part = parts[placeOf(key)];
  if (part === undefined) {
    throw new Error(`expected ${partCount} parts, found ${parts.length}`);
  }
  return part;
}

/** Keys that lie in one table differ in their last characters, if not in the very last. */
function placeOf(key: string): number {
  const { length } = key;
  let hash = length;
  for (let index = Math.max(0, length - hashedLength); index < length; index += 1) {
    hash = (Math.imul(hash, 31) + key.charCodeAt(index)) | 0;
  }
  return (hash ^ (hash >>> 6) ^ (hash >>> 12)) & (partCount - 1);
}

const hashedLength = 10;
