import { SharedPage } from '../admin/shared-page.js';
import { sortInSlices } from './slices.js';

/** Shortest time for which requests share one snapshot. Unit: ms. */
const SHARED_MS = 100;
/** Requests share a snapshot for this multiple of the time that its creation took. */
const SHARED_FACTOR = 10;
/** Longest time for which requests share one snapshot. Unit: ms. */
const MAX_SHARED_MS = 1000;

/** How rows are compared, by the name of the order. The first one is the default. */
export type Orders<Row> = Readonly<Record<string, (a: Row, b: Row) => number>>;

/** The rows at one moment, and the orders in which they were requested. */
export class Rows<Row> {
  readonly atMs = Date.now();
  readonly #sorted = new Map<string, Promise<readonly Row[]>>();

  /** @param isComplete - false: there are more rows than the snapshot may hold */
  constructor(
    private readonly rows: readonly Row[],
    private readonly orders: Orders<Row>,
    readonly isComplete = true,
  ) {}

  /** Each order is made once for all requests that share the rows. */
  sortedBy(order: string): Promise<readonly Row[]> {
    let sorted = this.#sorted.get(order);
    if (sorted === undefined) {
      sorted = sortInSlices(this.rows, this.orders[order]!);
      this.#sorted.set(order, sorted);
    }
    return sorted;
  }
}

/**
 * A snapshot that requests share for a short time, so that no flood of requests reads all mailboxes each time. Of many
 * groups, requests share it for longer, because its creation and its order cost more than a page of it.
 */
export class RecentRows<Row> {
  readonly #making: SharedPage<Rows<Row>>;
  #recent: Rows<Row> | undefined;

  #sharedMs = SHARED_MS;

  constructor(make: () => Promise<Rows<Row>>) {
    this.#making = new SharedPage(async () => {
      const startedAt = performance.now();
      const rows = await make();
      const tookMs = performance.now() - startedAt;
      this.#sharedMs = Math.min(MAX_SHARED_MS, Math.max(SHARED_MS, SHARED_FACTOR * tookMs));
      return rows;
    });
  }

  async get(): Promise<Rows<Row>> {
    if (this.#recent !== undefined) return this.#recent;
    const made = await this.#making.get();
    if (this.#recent === made) return made;
    this.#recent = made;
    setTimeout(() => {
      if (this.#recent === made) this.#recent = undefined;
    }, this.#sharedMs).unref();
    return made;
  }
}
