import { type BufferPool, buffers as commonBuffers } from '../../memory/buffer-pool.js';
import type { EventSpace } from '../event.js';

const FIRST_CHUNK_BYTES = 1024;
const SMALL_CHUNK_BYTES = 16 * 1024;
const LARGEST_CHUNK_BYTES = 128 * 1024;
/** A larger event has its own buffer, so that at most an eighth of a chunk stays unused at its end. */
const LARGEST_SHARING_BYTES = LARGEST_CHUNK_BYTES / 8;
/**
 * Released runs at the front are removed from the array when there are this many and they are half of the array.
 */
const COMPACT_FROM = 64;

/** The cost of an event beside its bytes: its index entry. Counts in a budget. Unit: bytes. */
export const EVENT_OVERHEAD_BYTES = 16;

/** Memory for events. */
interface Chunk {
  readonly buffer: Buffer;
  /** Number of runs in it, one more while it is open, and one more for each part of it in an unreleased slice. */
  holds: number;
}

/** Consecutive events that are adjacent in one chunk. */
interface Run {
  readonly firstSequence: number;
  /** Bytes of all events before this run, since the start of the log. */
  readonly base: number;
  readonly chunk: Chunk;
  /** Position of the run in the chunk. */
  readonly start: number;
  /** The end of each event, relative to `start`. */
  readonly ends: number[];
}

/** A range of events. */
export interface Slice {
  readonly buffers: Buffer[];
  readonly bytes: number;
  readonly lastSequence: number;
  /**
   * Releases the buffers, whose memory can be reused. A second call has no effect. Without a call, only the memory
   * is lost.
   */
  release(): void;
}

/**
 * The encoded events of one mailbox, by sequence: appended at the back, released from the front.
 *  A separate buffer object for every event would cost more than a small event itself, and a queue can have a
 * million events. So events are written one after the other into chunks. Chunks grow with the retained bytes from
 * 1 KiB (an idle mailbox is small) to 128 KiB. An event above an eighth of that gets a chunk of its own size. A
 * batch then consists of a few views of chunks. A chunk is reused when all its events and the slices with views of
 * it are released. Every operation takes amortised O(1) for each event, and O(log n) for each slice.
 */
export class EventLog implements EventSpace {
  #runs: Run[] = [];
  /** Index of the first run with a retained event. */
  #head = 0;
  #last = 0;
  #forgotten = 0;
  #forgottenBytes = 0;
  #totalBytes = 0;

  /** The chunk for small events. */
  #open: Chunk | undefined;
  #openUsed = 0;

  #reservedIn: Chunk | undefined;
  #reservedAt = 0;
  #reservedBytes = 0;

  /** @param memory the pool of the chunks */
  constructor(private readonly memory: Pick<BufferPool, 'take' | 'give'> = commonBuffers) {}

  /** The last event's sequence; 0 before the first. */
  get lastSequence(): number {
    return this.#last;
  }

  /** The last event that is no longer retained. 0 if none was released. */
  get forgottenSequence(): number {
    return this.#forgotten;
  }

  /** Bytes of all events that were ever appended. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  get retainedBytes(): number {
    return this.#totalBytes - this.#forgottenBytes;
  }

  get buffer(): Buffer {
    if (this.#reservedIn === undefined) throw new Error('nothing is reserved');
    return this.#reservedIn.buffer;
  }

  reserve(bytes: number): number {
    if (this.#reservedIn !== undefined) throw new Error('an event is already reserved');
    const open = this.#open;
    // None of its events is retained.
    if (open?.holds === 1) this.#openUsed = 0;
    if (open !== undefined && open.buffer.length - this.#openUsed >= bytes) {
      this.#reservedIn = open;
      this.#reservedAt = this.#openUsed;
    } else if (bytes > LARGEST_SHARING_BYTES) {
      // The open chunk stays open: its rest is used for later small events.
      this.#reservedIn = { buffer: this.memory.take(bytes), holds: 0 };
      this.#reservedAt = 0;
    } else {
      const size = Math.max(this.#nextChunkBytes(), 8 * bytes);
      this.#close();
      this.#open = { buffer: this.memory.take(size), holds: 1 };
      this.#openUsed = 0;
      this.#reservedIn = this.#open;
      this.#reservedAt = 0;
    }
    this.#reservedBytes = bytes;
    return this.#reservedAt;
  }

  /** Bytes of the reserved space. 0 when none is reserved. */
  get reservedBytes(): number {
    return this.#reservedIn === undefined ? 0 : this.#reservedBytes;
  }

  /** Appends the content of the reserved space as the next event. */
  commit(): void {
    const chunk = this.#reservedIn;
    if (chunk === undefined) throw new Error('nothing is reserved');
    const bytes = this.#reservedBytes;
    const at = this.#reservedAt;
    this.#reservedIn = undefined;
    if (chunk === this.#open) this.#openUsed = at + bytes;
    const sequence = this.#last + 1;
    const tail = this.#runs[this.#runs.length - 1];
    if (tail !== undefined && tail.chunk === chunk && tail.start + endOf(tail) === at) {
      tail.ends.push(at + bytes - tail.start);
    } else {
      chunk.holds++;
      this.#runs.push({ firstSequence: sequence, base: this.#totalBytes, chunk, start: at, ends: [bytes] });
    }
    this.#last = sequence;
    this.#totalBytes += bytes;
  }

  /** Returns reserved space, if there is any, because the encoder failed. */
  discard(): void {
    const chunk = this.#reservedIn;
    this.#reservedIn = undefined;
    if (chunk?.holds === 0) this.memory.give(chunk.buffer);
  }

  /** Bytes of all events up to and including `sequence`, which is retained, or the one before the oldest. */
  bytesUpTo(sequence: number): number {
    if (sequence === this.#last) return this.#totalBytes;
    if (sequence === this.#forgotten) return this.#forgottenBytes;
    const run = this.#runs[this.#find(sequence)]!;
    return run.base + run.ends[sequence - run.firstSequence]!;
  }

  /**
   * The events after `after`: at least one, otherwise up to `maxBytes` bytes and `maxEvents` events. Undefined
   * when there is none or maxEvents is below 1. Its buffers are valid until it is released.
   */
  slice(after: number, maxBytes: number, maxEvents: number): Slice | undefined {
    if (after >= this.#last || maxEvents < 1) return undefined;
    const from = this.bytesUpTo(after);
    const mayEnd = after + Math.min(maxEvents, this.#last - after);
    const buffers: Buffer[] = [];
    const chunks: Chunk[] = [];
    let last = after;
    let bytes = 0;
    for (let index = this.#find(after + 1); index < this.#runs.length; index++) {
      const run = this.#runs[index]!;
      const first = last + 1 - run.firstSequence;
      const begin = first === 0 ? 0 : run.ends[first - 1]!;
      const room = from + maxBytes - run.base;
      const most = Math.min(run.ends.length, mayEnd + 1 - run.firstSequence);
      let stop = countUpTo(run.ends, first, most, room);
      if (stop === first && last === after) stop = first + 1;
      if (stop === first) break;
      const end = run.ends[stop - 1]!;
      buffers.push(run.chunk.buffer.subarray(run.start + begin, run.start + end));
      run.chunk.holds++;
      chunks.push(run.chunk);
      bytes += end - begin;
      last = run.firstSequence + stop - 1;
      if (stop < run.ends.length || last >= mayEnd) break;
    }
    const release = (): void => {
      for (const chunk of chunks.splice(0)) this.#releaseChunk(chunk);
    };
    return { buffers, bytes, lastSequence: last, release };
  }

  /**
   * The smallest sequence, not below the last released one, after which at most `maxBytes` bytes follow up to and
   * including `upTo`.
   */
  startOfLast(maxBytes: number, upTo: number): number {
    const floor = this.bytesUpTo(upTo) - maxBytes;
    if (this.#forgottenBytes >= floor) return this.#forgotten;
    let low = this.#head;
    let high = this.#runs.length - 1;
    // The last run that starts below the floor contains the boundary.
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#runs[middle]!.base < floor) low = middle;
      else high = middle - 1;
    }
    const run = this.#runs[low]!;
    return run.firstSequence + countBelow(run.ends, floor - run.base);
  }

  /** Releases every event up to and including `sequence`. Returns the freed memory. */
  forget(sequence: number): number {
    if (sequence <= this.#forgotten) return 0;
    const upTo = this.bytesUpTo(sequence);
    const freed = upTo - this.#forgottenBytes + EVENT_OVERHEAD_BYTES * (sequence - this.#forgotten);
    this.#forgotten = sequence;
    this.#forgottenBytes = upTo;
    const runs = this.#runs;
    while (this.#head < runs.length && lastOf(runs[this.#head]!) <= sequence) {
      this.#releaseChunk(runs[this.#head]!.chunk);
      runs[this.#head] = NOTHING;
      this.#head++;
    }
    if (this.#head === runs.length) {
      this.#runs = [];
      this.#head = 0;
    } else if (this.#head >= COMPACT_FROM && this.#head * 2 >= runs.length) {
      this.#runs = runs.slice(this.#head);
      this.#head = 0;
    }
    return freed;
  }

  /** Releases every event, and the memory for later ones. Returns the freed memory. */
  clear(): number {
    this.#close();
    return this.forget(this.#last);
  }

  /** Releases one hold. Without holds, the memory can be reused. */
  #releaseChunk(chunk: Chunk): void {
    if (--chunk.holds === 0) this.memory.give(chunk.buffer);
  }

  #close(): void {
    if (this.#open !== undefined) this.#releaseChunk(this.#open);
    this.#open = undefined;
  }

  /**
   * An eighth of the retained bytes, because a large chunk would be mostly unused in a small log. But at least 16
   * KiB, or twice the last chunk up to that size.
   */
  #nextChunkBytes(): number {
    const grown = Math.max(
      FIRST_CHUNK_BYTES,
      Math.min(2 * (this.#open?.buffer.length ?? 0), SMALL_CHUNK_BYTES),
    );
    return Math.min(LARGEST_CHUNK_BYTES, Math.max(grown, Math.floor(this.retainedBytes / 8)));
  }

  /** Index of the run with a retained sequence. */
  #find(sequence: number): number {
    let low = this.#head;
    let high = this.#runs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#runs[middle]!.firstSequence <= sequence) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Replaces a released run, so that its buffer can be collected. */
const NOTHING: Run = {
  firstSequence: 0,
  base: 0,
  chunk: { buffer: Buffer.alloc(0), holds: 1 },
  start: 0,
  ends: [],
};

function endOf(run: Run): number {
  return run.ends[run.ends.length - 1] ?? 0;
}

function lastOf(run: Run): number {
  return run.firstSequence + run.ends.length - 1;
}

/** How many of ends[0..most) are at or below `room`, but at least `first`. */
function countUpTo(ends: readonly number[], first: number, most: number, room: number): number {
  let low = first;
  let high = most;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ends[middle]! <= room) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the first end at or above `floor`: that event is the last to release. */
function countBelow(ends: readonly number[], floor: number): number {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ends[middle]! < floor) low = middle + 1;
    else high = middle;
  }
  return low;
}
