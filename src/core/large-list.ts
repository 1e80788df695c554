/** What an array and a `LargeList` have in common. */
export interface LongList<Item> extends Iterable<Item> {
  readonly length: number;
  /** From 0, not from the end. */
  at(index: number): Item | undefined;
  /** Both from 0. */
  slice(from: number, to: number): readonly Item[];
}

/**
 * A list of what there may be a hundred thousand of: it never stands still to grow. V8 copies an array as a whole when it is
 * full, to memory that nobody touched before, and everything waits for that. This one has its items in parts.
 */
export class LargeList<Item> implements LongList<Item> {
  readonly #partLength: number;
  readonly #parts: Item[][];
  #last: Item[] = [];

  /** 4,096 are 32 KiB. */
  constructor(partLength = 4_096) {
    this.#partLength = partLength;
    this.#parts = [this.#last];
  }

  get length(): number {
    return (this.#parts.length - 1) * this.#partLength + this.#last.length;
  }

  push(item: Item): void {
    if (this.#last.length === this.#partLength) {
      this.#last = [];
      this.#parts.push(this.#last);
    }
    this.#last.push(item);
  }

  at(index: number): Item | undefined {
    return this.#parts[Math.floor(index / this.#partLength)]?.[index % this.#partLength];
  }

  slice(from: number, to: number): readonly Item[] {
    const begin = from % this.#partLength;
    const items = this.#parts[Math.floor(from / this.#partLength)]?.slice(begin, begin + Math.max(0, to - from)) ?? [];
    const next = from + items.length;
    return next < Math.min(to, this.length) ? [...items, ...this.slice(next, to)] : items;
  }

  *[Symbol.iterator](): Generator<Item, void, undefined> {
    for (const part of this.#parts) {
      yield* part;
    }
  }
}
