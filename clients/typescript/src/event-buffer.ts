import type { SpreadEvent } from './messages.js';

/** Approximate memory of an event. Unit: bytes. */
function sizeOf(event: SpreadEvent): number {
  const fixed = 128;
  switch (event.kind) {
    case 'regular':
    case 'rejected':
      return fixed + event.payload.length + 48 * event.groups.length;
    case 'view':
      return fixed + 48 * (event.members.length + event.changedMembers.length);
    default:
      return fixed;
  }
}

/** A bounded first-in, first-out queue. Each operation takes constant time. */
export class EventBuffer {
  #events: (SpreadEvent | undefined)[] = [];
  #head = 0;
  #bytes = 0;

  /**
   * @param maxEvents - the buffer is full with this number of events
   * @param maxBytes - the buffer is full with this size. Unit: bytes
   */
  constructor(
    private readonly maxEvents: number,
    private readonly maxBytes: number,
  ) {}

  /** Number of events. */
  get size(): number {
    return this.#events.length - this.#head;
  }

  /**
   * Whether the producer should pause. The buffer still accepts more events, because a batch is never split.
   */
  get full(): boolean {
    return this.size >= this.maxEvents || this.#bytes >= this.maxBytes;
  }

  /**
   * Whether the producer may resume. This needs half of each limit free, so that the producer does not pause
   * after each event.
   */
  get hasRoom(): boolean {
    return this.size <= this.maxEvents / 2 && this.#bytes <= this.maxBytes / 2;
  }

  push(event: SpreadEvent): void {
    this.#events.push(event);
    this.#bytes += sizeOf(event);
  }

  shift(): SpreadEvent | undefined {
    const event = this.#events[this.#head];
    if (!event) return undefined;
    this.#events[this.#head] = undefined;
    this.#head += 1;
    this.#bytes -= sizeOf(event);
    // Moves the rest to the front. The cost per event is constant, because at least as many events were taken
    // before.
    if (this.#head * 2 >= this.#events.length) {
      this.#events = this.#events.slice(this.#head);
      this.#head = 0;
    }
    return event;
  }

  clear(): void {
    this.#events = [];
    this.#head = 0;
    this.#bytes = 0;
  }
}
