import { SharedPage } from '../admin/shared-page.js';
import { sortInSlices } from './slices.js';

/** Time for which requests share one snapshot. Unit: ms. */
const SHARED_MS = 100;

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

/** A snapshot that requests share for a short time, so that no flood of requests reads all mailboxes each time. */
export class RecentRows<Row> {
  readonly #making: SharedPage<Rows<Row>>;
  #recent: Rows<Row> | undefined;

  constructor(make: () => Promise<Rows<Row>>) {
    this.#making = new SharedPage(make);
  }

  async get(): Promise<Rows<Row>> {
    if (this.#recent !== undefined) return this.#recent;
    const made = await this.#making.get();
    if (this.#recent === made) return made;
    this.#recent = made;
    setTimeout(() => {
      if (this.#recent === made) this.#recent = undefined;
    }, SHARED_MS).unref();
    return made;
  }
}
