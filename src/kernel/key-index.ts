/**
 * Finds binary keys of one length without making an object for any of them: what a dump brings is looked up among
 * what is expected, a hundred thousand times, and most of it is there.
 */
export interface KeyIndex {
  /** One key, written here before it is added or looked for. Its length in 32-bit words is that of every key. */
  readonly key: Uint32Array;
  /** The same in bytes. */
  readonly keyBytes: Uint8Array;
  /** Every key that was added, one after another. */
  added: Uint32Array;
  count: number;
  /** Open addressing: position of the key plus one, 0 where there is none; a power of two long. */
  slots: Int32Array;
}

/** An index for keys of `words` 32-bit words. */
export function createKeyIndex(words: number): KeyIndex {
  const key = new Uint32Array(words);
  const keyBytes = new Uint8Array(key.buffer);
  return { key, keyBytes, added: new Uint32Array(words * 16), count: 0, slots: new Int32Array(64) };
}

/** Empties the index and makes room for `count` keys. */
export function clearKeyIndex(index: KeyIndex, count: number): void {
  const words = index.key.length;
  if (index.added.length < count * words) {
    index.added = new Uint32Array(count * words);
  }
  const slots = 2 ** Math.ceil(Math.log2(Math.max(16, count * 2)));
  index.slots = index.slots.length < slots ? new Int32Array(slots) : index.slots.fill(0);
  index.count = 0;
}

/** Adds the key that was written, which must be another than those before, and returns its position: 0, 1, 2 … */
export function addKey(index: KeyIndex): number {
  const position = index.count;
  index.added.set(index.key, position * index.key.length);
  index.count += 1;
  index.slots[freeSlot(index)] = position + 1;
  return position;
}

/** The position of the key that was written, -1 when it was not added. */
export function findKey(index: KeyIndex): number {
  const { slots } = index;
  for (let slot = hash(index); ; slot = (slot + 1) & (slots.length - 1)) {
    const position = (slots[slot] ?? 0) - 1;
    if (position < 0 || isAt(index, position)) {
      return position;
    }
  }
}

function freeSlot(index: KeyIndex): number {
  const { slots } = index;
  let slot = hash(index);
  while (slots[slot] !== 0) {
    slot = (slot + 1) & (slots.length - 1);
  }
  return slot;
}

function isAt({ key, added }: KeyIndex, position: number): boolean {
  const start = position * key.length;
  for (let word = 0; word < key.length; word += 1) {
    if (added[start + word] !== key[word]) {
      return false;
    }
  }
  return true;
}

/** The finalizer of MurmurHash3 over each word: addresses of one network differ in few bits. */
function hash({ key, slots }: KeyIndex): number {
  let value = 0;
  for (let word = 0; word < key.length; word += 1) {
    value = Math.imul(value ^ (key[word] ?? 0), 0x85eb_ca6b);
    value ^= value >>> 13;
    value = Math.imul(value, 0xc2b2_ae35);
    value ^= value >>> 16;
  }
  return value & (slots.length - 1);
}
