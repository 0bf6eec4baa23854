/** Time after which long work lets other work of the event loop run. Unit: ms. */
const SLICE_MS = 2;
/** Items between two looks at the clock. */
const ITEMS = 64;
/** Items that are sorted without a break. */
const RUN = 1000;

/** Divides long work into slices, so that probes and messages do not wait for it. */
export class Slices {
  #until = performance.now() + SLICE_MS;
  #items = 0;

  /** Counts one item. @returns whether the caller must await next() before it continues */
  get isOver(): boolean {
    this.#items++;
    return this.#items % ITEMS === 0 && performance.now() > this.#until;
  }

  async next(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#until = performance.now() + SLICE_MS;
  }
}

/** Sorts in slices. Equal items keep their order. */
export async function sortInSlices<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
): Promise<readonly T[]> {
  const slices = new Slices();
  let runs: T[][] = [];
  for (let at = 0; at < items.length; at += RUN) {
    runs.push(items.slice(at, at + RUN).sort(compare));
    await slices.next();
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let at = 0; at < runs.length; at += 2)
      merged.push(await merge(runs[at]!, runs[at + 1] ?? [], compare, slices));
    runs = merged;
  }
  return runs[0] ?? [];
}

async function merge<T>(
  left: readonly T[],
  right: readonly T[],
  compare: (a: T, b: T) => number,
  slices: Slices,
): Promise<T[]> {
  const merged: T[] = [];
  let l = 0;
  let r = 0;
  while (l < left.length || r < right.length) {
    const isLeft = r >= right.length || (l < left.length && compare(left[l]!, right[r]!) <= 0);
    merged.push(isLeft ? left[l++]! : right[r++]!);
    if (slices.isOver) await slices.next();
  }
  return merged;
}
