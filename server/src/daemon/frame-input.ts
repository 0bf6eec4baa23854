import type { Readable } from 'node:stream';
import { type Frame, FrameDecoder, type Header } from '../spread/wire/index.js';
import type { FairTurns } from '../timing/fair-turns.js';
import { INPUT_LIMITS } from './header-check.js';
import type { SlowLane, SlowLaneUser } from './output/slow-lane.js';

/** Input is processed in pieces of this many bytes, so that a sender can be slowed down in between. */
const SLICE = 4 * 1024;
const SLOW_SLICE = 2 * 1024;
/**
 * Size of the first piece while some receiver's queue is long: enough to see whether this sender adds to the
 * queue.
 */
const FIRST_SLICE = 256;
/**
 * Time for which a message to a receiver with a long queue slows its sender down, unless the receiver catches up.
 * Unit: ms.
 */
const SLOW_MS = 5;

/** Number of messages with the cost of one unit of FairTurns. */
const MESSAGES_PER_UNIT = 128;

export interface FrameInputHandlers {
  /** False once the session has ended. Later input is ignored. */
  readonly isOpen: () => boolean;
  /** Throws WireError to reject a header. */
  readonly check: (header: Header) => void;
  readonly onFrame: (frame: Frame) => void;
  /** Number of messages that the daemon has received and delivered so far. */
  readonly messagesHandled: () => number;
  /** A rejected header (WireError), or an error of `onFrame`. No more input is read. */
  readonly onFailure: (error: unknown) => void;
}

/** Converts a session's bytes to frames, at full speed or through the slow lane. */
export class FrameInput implements SlowLaneUser {
  readonly #decoder: FrameDecoder;
  /** End of the use of the slow lane. 0: not in use. */
  #slowUntil = 0;
  /** Input that waits in the slow lane. The stream is paused meanwhile. */
  #held: Buffer | undefined;
  #framesRead = 0;

  constructor(
    private readonly stream: Readable,
    private readonly slowLane: SlowLane,
    private readonly turns: FairTurns,
    private readonly handlers: FrameInputHandlers,
  ) {
    const validateHeader = (header: Header) => {
      if (handlers.isOpen()) handlers.check(header);
    };
    this.#decoder = new FrameDecoder({ role: 'daemon', limits: INPUT_LIMITS, validateHeader }, (frame) => {
      this.#framesRead += 1;
      if (handlers.isOpen()) handlers.onFrame(frame);
    });
  }

  /** A receiver of this sender has a long queue. */
  slowDown(): void {
    this.#slowUntil = performance.now() + SLOW_MS;
  }

  /** The receiver has caught up, or has ended. */
  speedUp(): void {
    this.#slowUntil = 0;
  }

  push(chunk: Buffer): void {
    this.#process(chunk, false);
  }

  /** @param isItsTurn - whether the first piece may be processed although other senders wait */
  #process(chunk: Buffer, isItsTurn: boolean): void {
    let offset = 0;
    while (offset < chunk.length && this.handlers.isOpen()) {
      const slow = this.#isSlow();
      if (slow && !this.slowLane.open) {
        this.#hold(chunk.subarray(offset));
        this.slowLane.wait(this);
        return;
      }
      if (!this.turns.isFree && !(isItsTurn && offset === 0)) {
        this.#hold(chunk.subarray(offset));
        this.turns.run(this, () => this.proceed());
        return;
      }
      const before = this.#framesRead;
      const handledBefore = this.handlers.messagesHandled();
      const first = offset === 0 && this.slowLane.pressedBy.size > 0;
      const bytes = chunk.subarray(offset, offset + (first ? FIRST_SLICE : slow ? SLOW_SLICE : SLICE));
      this.#decode(bytes);
      offset += bytes.length;
      this.turns.charge(this, (this.handlers.messagesHandled() - handledBefore) / MESSAGES_PER_UNIT);
      if (slow) this.slowLane.spend(this.#framesRead - before, bytes.length);
    }
  }

  proceed(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held) this.#process(held, true);
    if (!this.#held && !this.stream.destroyed) this.stream.resume();
  }

  /** Processes waiting input immediately, because it came before the end. */
  finish(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held && this.handlers.isOpen()) this.#decode(held);
  }

  /** Discards waiting input. */
  discard(): void {
    this.#held = undefined;
  }

  #hold(rest: Buffer): void {
    this.#held = rest;
    this.stream.pause();
  }

  #isSlow(): boolean {
    if (this.#slowUntil > 0 && performance.now() > this.#slowUntil) this.#slowUntil = 0;
    return this.#slowUntil > 0;
  }

  #decode(bytes: Buffer): void {
    try {
      this.#decoder.push(bytes);
    } catch (error) {
      // Errors after a disconnect message do not matter (Spread 5.0.1, transcript 30-kill-variants).
      if (this.handlers.isOpen()) this.handlers.onFailure(error);
    }
  }
}
