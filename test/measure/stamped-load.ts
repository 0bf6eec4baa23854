import { FIFO_MESS, type Sender } from 'spread-sidecar-client';

/** Bytes of a message that say when it was due and which one it is. */
export const STAMP_BYTES = 16;

/** What a message says of itself. */
export interface Stamp {
  /** When it was, or should have been, sent. Unit: ms of performance.now(). */
  readonly dueAt: number;
  /** From 0, one more with each. */
  readonly index: number;
}

export function readStamp(payload: Buffer): Stamp {
  return { dueAt: payload.readDoubleLE(0), index: payload.readDoubleLE(8) };
}

export interface LoadOptions {
  readonly group: string;
  /** Unit: bytes. */
  readonly messageBytes: number;
  /** Messages a second; or `saturated`: as many as are received, with so many on their way. */
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

  /** Resolves when everything that was sent was handed to the daemon. Rejects if it could not be. */
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
        // Stamped with the time at which each was due, so that a sender that is held up does not flatter the figures.
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
