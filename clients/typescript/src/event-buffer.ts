import type { SpreadEvent } from './messages.js';

/** A rough size of an event in memory, for the bound. Unit: bytes. */
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

/** First in, first out, with a bound that tells its filler to pause. Each operation takes constant time. */
export class EventBuffer {
  #events: (SpreadEvent | undefined)[] = [];
  #head = 0;
  #bytes = 0;

  /**
   * @param maxEvents - at this many it is full
   * @param maxBytes - at this many it is full. Unit: bytes
   */
  constructor(
    private readonly maxEvents: number,
    private readonly maxBytes: number,
  ) {}

  /** Events in it. */
  get size(): number {
    return this.#events.length - this.#head;
  }

  /** Whether its filler is to pause. It still takes what is pushed: a batch is never split. */
  get full(): boolean {
    return this.size >= this.maxEvents || this.#bytes >= this.maxBytes;
  }

  /** Whether its filler may go on: half of each bound is free, so that it does not stop and go at each event. */
  get roomy(): boolean {
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
    // Moving the rest down costs as much as was taken since the last time: constant per event.
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
