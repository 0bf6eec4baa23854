import type { QueueLimits } from '../mailbox-types.js';
import type { ByteBudget } from './byte-budget.js';
import type { DeliveryQueue } from './delivery-queue.js';

type Load = Pick<DeliveryQueue, 'loadEvents' | 'loadBytes' | 'loadMemory'>;

/** The part of a bound at which a queue that was full has room again. */
const RELIEF = 0.75;

/**
 * When a mailbox's queue is full. Bounds are its own in events and bytes, and its share of what all mailboxes may hold
 * together (see ByteBudget).
 */
export class QueueBounds {
  readonly #queue: Load;
  readonly #limits: QueueLimits;
  readonly #budget: ByteBudget;

  constructor(queue: Load, limits: QueueLimits, budget: ByteBudget) {
    this.#queue = queue;
    this.#limits = limits;
    this.#budget = budget;
  }

  /** True when nothing more should be read. */
  get isReached(): boolean {
    const { loadEvents, loadBytes, loadMemory } = this.#queue;
    const { maxEvents, maxBytes } = this.#limits;
    return loadEvents >= maxEvents || loadBytes >= maxBytes || loadMemory > this.#budget.free;
  }

  /**
   * True when reading may continue after the bound was reached: the queue has fallen to three quarters of it. At the bound itself each
   * event that is taken would start the reading, and the next event stop it.
   */
  get isRelieved(): boolean {
    const { loadEvents, loadBytes } = this.#queue;
    const { maxEvents, maxBytes } = this.#limits;
    return (
      loadEvents <= maxEvents * RELIEF &&
      loadBytes <= maxBytes * RELIEF &&
      loadBytes <= this.#budget.free * RELIEF
    );
  }

  /** The bound that one more event of so many bytes would break, in words. The only event of a queue breaks none. */
  brokenBy(bytes: number): string | undefined {
    const { loadEvents, loadBytes, loadMemory } = this.#queue;
    const { maxEvents, maxBytes } = this.#limits;
    if (loadEvents === 0) return undefined;
    if (loadEvents + 1 > maxEvents) return `${maxEvents} events`;
    if (loadBytes + bytes > maxBytes) return `${maxBytes} bytes`;
    if (loadMemory + bytes > this.#budget.free) return `${this.#budget.totalBytes} bytes of all mailboxes`;
    return undefined;
  }

  /** @param part of each bound; above 0, at most 1 */
  markAt(part: number): QueueMark {
    return new QueueMark(this.#queue, this.#limits, this.#budget, part);
  }
}

/** A part of the bounds of one queue, whichever is reached first. */
export class QueueMark {
  readonly #queue: Load;
  readonly #budget: ByteBudget;
  readonly #part: number;
  readonly #events: number;
  readonly #bytes: number;

  constructor(queue: Load, limits: QueueLimits, budget: ByteBudget, part: number) {
    this.#queue = queue;
    this.#budget = budget;
    this.#part = part;
    this.#events = limits.maxEvents * part;
    this.#bytes = limits.maxBytes * part;
  }

  /** True while the queue is above it. Asked for every message. */
  get isExceeded(): boolean {
    const { loadEvents, loadBytes, loadMemory } = this.#queue;
    return (
      loadEvents > this.#events || loadBytes > this.#bytes || loadMemory > this.#sharedMemory(loadMemory)
    );
  }

  get events(): number {
    return Math.floor(this.#events);
  }

  /** Bytes, as things stand with the other mailboxes. */
  get bytes(): number {
    return Math.floor(Math.min(this.#bytes, this.#sharedMemory(this.#queue.loadMemory)));
  }

  /** What the queue is above, in words: only of use while it is. */
  get inWords(): string {
    return this.#queue.loadEvents > this.#events ? `${this.events} events` : `${this.bytes} bytes`;
  }

  /** The shared bound is reached when this queue is as large as what is free, that is at half of both together. */
  #sharedMemory(loadMemory: number): number {
    return ((loadMemory + this.#budget.free) / 2) * this.#part;
  }
}
