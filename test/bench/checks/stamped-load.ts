import { FIFO_MESS, type Sender } from 'spread-sidecar-client';

/** Bytes in a message for its due time and its number. */
export const STAMP_BYTES = 16;

/** The stamp in a message. */
export interface Stamp {
  /** The time at which the message was sent or was due. Unit: ms of performance.now(). */
  readonly dueAt: number;
  /** Number of the message, from 0. */
  readonly index: number;
}

export function readStamp(payload: Buffer): Stamp {
  return { dueAt: payload.readDoubleLE(0), index: payload.readDoubleLE(8) };
}

export interface LoadOptions {
  readonly group: string;
  /** Unit: bytes. */
  readonly messageBytes: number;
  /** Messages per second, or `saturated`: as many as are received, with a fixed number on their way. */
  readonly pace: { readonly rate: number } | { readonly inFlight: number; readonly received: () => number };
}

/** A sender that continues until it is stopped. */
export class StampedLoad {
  readonly #sender: Sender;
  readonly #options: LoadOptions;
  readonly #running: Promise<void>;
  #stopped = false;
  sent = 0;

  constructor(sender: Sender, options: LoadOptions) {
    this.#sender = sender;
    this.#options = options;
    this.#running = this.#run();
  }

  /** Resolves when the daemon has all messages that were sent. Rejects if sending failed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    await this.#sender.close();
  }

  async #run(): Promise<void> {
    const { pace } = this.#options;
    const startedAt = performance.now();
    while (!this.#stopped) {
      const now = performance.now();
      if ('rate' in pace) {
        // The stamp is the time at which each message was due. A delayed sender therefore does not improve the figures.
        const due = Math.floor(((now - startedAt) * pace.rate) / 1000);
        while (this.sent < due) await this.#send(startedAt + ((this.sent + 1) * 1000) / pace.rate);
        await new Promise((resolve) => setTimeout(resolve, 1));
      } else {
        while (this.sent - pace.received() < pace.inFlight) await this.#send(now);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  async #send(dueAt: number): Promise<void> {
    const payload = Buffer.alloc(this.#options.messageBytes);
    payload.writeDoubleLE(dueAt, 0);
    payload.writeDoubleLE(this.sent, 8);
    this.sent += 1;
    await this.#sender.send(FIFO_MESS, this.#options.group, payload);
  }
}
