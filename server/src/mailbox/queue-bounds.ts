import type { ByteBudget } from './byte-budget.js';
import type { DeliveryQueue } from './delivery-queue.js';
import type { QueueLimits } from './mailbox-types.js';

/**
 * When a mailbox's queue is full, and when its receiver is to be warned. Bounds are its own in events and bytes, and
 * its share of what all mailboxes may hold together (see ByteBudget).
 */
export class QueueBounds {
  readonly #queue: Pick<DeliveryQueue, 'loadEvents' | 'loadBytes'>;
  readonly #limits: QueueLimits;
  readonly #budget: ByteBudget;
  readonly #mark: number;

  /** @param mark the part of a bound from which the receiver is to be warned; above 0, at most 1 */
  constructor(
    queue: Pick<DeliveryQueue, 'loadEvents' | 'loadBytes'>,
    limits: QueueLimits,
    budget: ByteBudget,
    mark: number,
  ) {
    this.#queue = queue;
    this.#limits = limits;
    this.#budget = budget;
    this.#mark = mark;
  }

  /** True when nothing more should be read. */
  isReached(): boolean {
    const { loadEvents, loadBytes } = this.#queue;
    const { maxEvents, maxBytes } = this.#limits;
    return loadEvents >= maxEvents || loadBytes >= maxBytes || loadBytes > this.#budget.free;
  }

  /** The bound that one more event of so many bytes would break, in words. The only event of a queue breaks none. */
  brokenBy(bytes: number): string | undefined {
    const { loadEvents, loadBytes } = this.#queue;
    const { maxEvents, maxBytes } = this.#limits;
    if (loadEvents === 0) return undefined;
    if (loadEvents + 1 > maxEvents) return `${maxEvents} events`;
    if (loadBytes + bytes > maxBytes) return `${maxBytes} bytes`;
    if (loadBytes + bytes > this.#budget.free) return `${this.#budget.totalBytes} bytes of all mailboxes`;
    return undefined;
  }

  /** True when the queue has risen over the notice mark. */
  isOverMark(): boolean {
    const { loadEvents, loadBytes } = this.#queue;
    const { maxEvents, maxBytes } = this.#limits;
    if (loadEvents > maxEvents * this.#mark || loadBytes > maxBytes * this.#mark) return true;
    // The shared bound is reached when this queue is as large as what is free, that is at half of both together.
    return loadBytes > ((loadBytes + this.#budget.free) / 2) * this.#mark;
  }
}
