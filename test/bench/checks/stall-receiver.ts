import type { Mailbox, SpreadError } from 'spread-sidecar-client';
import type { CheckedFigure } from './check.js';
import { readStamp, type Stamp } from './stamped-load.js';

/**
 * A receiver that reads everything unless it is stalled. It detects missing events by the mailbox's sequence, and
 * missing messages by the sender's count.
 */
export class StallReceiver {
  readonly mailbox: Mailbox;
  readonly #onMessage: (stamp: Stamp) => void;
  #wake: (() => void) | undefined;
  #stalled: Promise<void> | undefined;
  /** The number of the last message. */
  lastIndex: number | undefined;
  /** Messages received. */
  messages = 0;
  /** Sequence of the last event received. */
  lastSequence = 0n;
  /** Events with an unexpected sequence or message number. */
  gaps = 0;
  /** The error with which the mailbox ended. */
  end: SpreadError | undefined;
  readonly ended: Promise<void>;

  constructor(mailbox: Mailbox, onMessage: (stamp: Stamp) => void = () => {}) {
    this.mailbox = mailbox;
    this.#onMessage = onMessage;
    this.ended = this.#run();
  }

  stall(): void {
    this.#stalled = new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  wake(): void {
    this.#stalled = undefined;
    this.#wake?.();
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        if (this.#stalled) await this.#stalled;
        const event = await this.mailbox.receive();
        if (event.sequence !== this.lastSequence + 1n) this.gaps += 1;
        this.lastSequence = event.sequence;
        if (event.kind !== 'regular') continue;
        const stamp = readStamp(event.payload);
        if (this.lastIndex !== undefined && stamp.index !== this.lastIndex + 1) this.gaps += 1;
        this.lastIndex = stamp.index;
        this.messages += 1;
        this.#onMessage(stamp);
      }
    } catch (error) {
      this.end = error as SpreadError;
    }
  }
}

/** The messages of a receiver that has to get all of them. */
export function completeness(receiver: StallReceiver, sent: number): readonly CheckedFigure[] {
  const { messages, gaps, end } = receiver;
  const missing = {
    name: 'messages that the reading receiver did not get',
    value: sent - messages,
    unit: '',
  };
  return [
    { ...missing, name: end ? `${missing.name} before ${end.reason}` : missing.name, atLeast: 0, atMost: 0 },
    { name: 'gaps in its messages', value: gaps, unit: '', atMost: 0 },
  ];
}
