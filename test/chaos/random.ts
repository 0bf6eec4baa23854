/** Reproducible random numbers: the same seed gives the same numbers in the same order. */
export class Random {
  #state: number;
  readonly #seed: string;

  constructor(seed: string | number) {
    this.#seed = String(seed);
    // FNV-1a: similar seeds start with different numbers.
    let hash = 0x811c9dc5;
    for (const character of this.#seed) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
    this.#state = hash;
  }

  /** A separate generator for a part, so that its draws do not change those of other parts. */
  fork(part: string): Random {
    return new Random(`${this.#seed}/${part}`);
  }

  /** A number from 0 (inclusive) to 1 (exclusive). (mulberry32) */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer from `from` to `to`, inclusive. */
  int(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)] as T;
  }

  /** A random part of the items, in their order, at least one and at most `most`. */
  some<T>(items: readonly T[], most: number): T[] {
    const count = this.int(1, Math.min(most, items.length));
    const left = [...items];
    while (left.length > count) left.splice(this.int(0, left.length - 1), 1);
    return left;
  }

  /** A random key by weight. */
  weighted<K extends string>(weights: Readonly<Partial<Record<K, number>>>): K {
    const entries = Object.entries(weights) as [K, number][];
    let at = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) {
      at -= weight;
      if (at < 0) return key;
    }
    return entries[0]![0];
  }
}
