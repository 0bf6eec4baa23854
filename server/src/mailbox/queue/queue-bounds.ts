import type { QueueLimits } from '../mailbox-types.js';
import type { ByteBudget } from './byte-budget.js';
import type { DeliveryQueue } from './delivery-queue.js';

type Load = Pick<DeliveryQueue, 'loadEvents' | 'loadBytes' | 'loadMemory'>;

/** The part of a limit to which a full queue must fall to have room again. */
const RELIEF = 0.75;

/**
 * Decides when a mailbox's queue is full. Its limits are its own in events and bytes, and its share of the limit
 * of all mailboxes (see ByteBudget).
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
   * True when reading may continue after a limit was reached: the queue has fallen to three quarters of it. With
   * the limit itself, each taken event would resume reading, and the next event would pause it.
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

  /**
   * The limit that one more event of this size would exceed, in words. A single event of any size exceeds none.
   */
  brokenBy(bytes: number): string | undefined {
    const { loadEvents, loadBytes, loadMemory } = this.#queue;
    const { maxEvents, maxBytes } = this.#limits;
    if (loadEvents === 0) return undefined;
    if (loadEvents + 1 > maxEvents) return `${maxEvents} events`;
    if (loadBytes + bytes > maxBytes) return `${maxBytes} bytes`;
    if (loadMemory + bytes > this.#budget.free) return `${this.#budget.totalBytes} bytes of all mailboxes`;
    return undefined;
  }

  /** @param part of each limit; above 0, at most 1 */
  markAt(part: number): QueueMark {
    return new QueueMark(this.#queue, this.#limits, this.#budget, part);
  }
}

/** A part of the limits of one queue. The first limit that is reached counts. */
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

  /** True while the queue exceeds it. Called for every message. */
  get isExceeded(): boolean {
    const { loadEvents, loadBytes, loadMemory } = this.#queue;
    return (
      loadEvents > this.#events || loadBytes > this.#bytes || loadMemory > this.#sharedMemory(loadMemory)
    );
  }

  get events(): number {
    return Math.floor(this.#events);
  }

  /** Bytes, in the current state of the other mailboxes. */
  get bytes(): number {
    return Math.floor(Math.min(this.#bytes, this.#sharedMemory(this.#queue.loadMemory)));
  }

  /** The exceeded limit in words. Valid only while one is exceeded. */
  get inWords(): string {
    return this.#queue.loadEvents > this.#events ? `${this.events} events` : `${this.bytes} bytes`;
  }

  /** The shared limit is reached when this queue is as large as the free part, that is, half of both together. */
  #sharedMemory(loadMemory: number): number {
    return ((loadMemory + this.#budget.free) / 2) * this.#part;
  }
}
