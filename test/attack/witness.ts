import { AGREED_MESS, type Mailbox, SpreadError, SpreadSidecar } from 'spread-sidecar-client';
import { until } from '../support/until.js';
import { Latencies, type Phase } from './latencies.js';

const GROUP = 'witness';
/**
 * Interval between messages. Unit: ms. The sidecar divides its work fairly between connections, so a well-behaved client sends less
 * than its share: on 2 cores, 50 attacking connections leave each connection 70 calls a second or more, and this client sends 40.
 */
const PACE_MS = 25;
/** Messages whose call has no answer yet; at this bound the client waits, as a well-behaved one does. */
const MAX_OPEN = 50;
/** Time that a call, and at the end the last messages, may take. Unit: ms. */
const PATIENCE_MS = 30_000;

/**
 * The well-behaved client beside an attack. It multicasts numbered messages at a fixed pace to a group that it has joined,
 * receives them, and records latencies, lost or repeated messages and failed calls.
 */
export class Witness {
  readonly #sidecar: SpreadSidecar;
  readonly #mailbox: Mailbox;
  /** From the time when a message was due to the answer of its call. */
  calls = new Latencies();
  /** From the time when a message was due to its receipt. */
  deliveries = new Latencies();
  /** What the client must never see. */
  readonly problems: string[] = [];
  phase: Phase = 'rest';
  readonly #sentAt = new Map<number, { readonly dueAt: number; readonly phase: Phase }>();
  readonly #sending: Promise<void>;
  #open = 0;
  #sent = 0;
  #received = 0;
  #stopped = false;

  private constructor(sidecar: SpreadSidecar, mailbox: Mailbox) {
    this.#sidecar = sidecar;
    this.#mailbox = mailbox;
    this.#sending = this.#send();
    void this.#receive();
  }

  static async start(target: string, token: string | undefined): Promise<Witness> {
    const sidecar = new SpreadSidecar({ target, ...(token === undefined ? {} : { token }) });
    const mailbox = await sidecar.connect();
    await mailbox.join(GROUP, { awaitView: true });
    return new Witness(sidecar, mailbox);
  }

  get sent(): number {
    return this.#sent;
  }

  /** Starts measuring again, once the code on both sides is warm. */
  forgetLatencies(): void {
    this.calls = new Latencies();
    this.deliveries = new Latencies();
  }

  /** Stops sending and waits for the messages that are on their way. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await this.#sending;
    await until(() => (this.#open === 0 && this.#received === this.#sent) || this.problems.length > 0, {
      timeoutMs: PATIENCE_MS,
      what: 'the well-behaved client has all of its messages',
    }).catch(() => {});
    if (this.#received !== this.#sent) this.#note(`received ${this.#received} of ${this.#sent} messages`);
    await this.#sidecar.close().catch((error) => this.#note(`close failed: ${error}`));
  }

  async #send(): Promise<void> {
    const startedAt = performance.now();
    // What has a problem proves nothing more.
    while (!this.#stopped && this.problems.length === 0) {
      const dueAt = startedAt + (this.#sent + 1) * PACE_MS;
      const waitMs = dueAt - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (this.#open < MAX_OPEN) void this.#multicast(this.#sent++, dueAt);
      else await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async #multicast(index: number, dueAt: number): Promise<void> {
    const { phase } = this;
    this.#sentAt.set(index, { dueAt, phase });
    this.#open++;
    try {
      const payload = Buffer.alloc(8);
      payload.writeDoubleLE(index);
      await this.#mailbox.multicast(AGREED_MESS, GROUP, payload, 0, { timeoutMs: PATIENCE_MS });
      this.calls.add(phase, performance.now() - dueAt);
    } catch (error) {
      this.#note(`a multicast failed: ${describe(error)}`);
    } finally {
      this.#open--;
    }
  }

  async #receive(): Promise<void> {
    try {
      for await (const event of this.#mailbox) {
        if (event.kind !== 'regular') continue;
        const index = event.payload.readDoubleLE();
        const sent = this.#sentAt.get(index);
        if (index !== this.#received || sent === undefined) {
          this.#note(`received message ${index} where ${this.#received} was due`);
          return;
        }
        this.#received++;
        this.#sentAt.delete(index);
        this.deliveries.add(sent.phase, performance.now() - sent.dueAt);
      }
    } catch (error) {
      if (!this.#stopped) this.#note(`the mailbox ended: ${describe(error)}`);
    }
  }

  #note(problem: string): void {
    // One cause can have many effects; the first ones say enough.
    if (this.problems.length < 5) this.problems.push(problem);
  }
}

function describe(error: unknown): string {
  return error instanceof SpreadError ? `${error.reason} ${error.message}` : String(error);
}
