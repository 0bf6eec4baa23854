import { SidecarError } from '../../mailbox/sidecar-error.js';
import { TokenBucket } from './token-bucket.js';

/** Bounds on calls and messages. Infinity: none. */
export interface CallBounds {
  /** Calls at once, of all clients. Default 10,000. */
  readonly maxCalls: number;
  /** Calls at once of one client. Default: none. */
  readonly maxCallsPerClient: number;
  /** Calls that one client may begin in a second. Default: none. */
  readonly callsPerSecond: number;
  /** Messages that one client may send in a second. Default: none. */
  readonly messagesPerSecond: number;
}

export const DEFAULT_CALL_BOUNDS: CallBounds = {
  maxCalls: 10_000,
  maxCallsPerClient: Number.POSITIVE_INFINITY,
  callsPerSecond: Number.POSITIVE_INFINITY,
  messagesPerSecond: Number.POSITIVE_INFINITY,
};

/** Calls that are too many are told to come again after so long. Unit: ms. */
const RETRY_MS = 1000;
/** Clients that are remembered before it is looked whose rates are as if nothing had been. */
const TIDY_AT = 256;

/** What one client uses. */
export class ClientUse {
  calls = 0;
  readonly #callRate: TokenBucket | undefined;
  readonly #messageRate: TokenBucket | undefined;

  constructor(
    /** Who it is; says nothing about its credential. */
    readonly client: string,
    private readonly bounds: CallBounds,
    private readonly now: () => number,
  ) {
    const { callsPerSecond, messagesPerSecond } = bounds;
    if (callsPerSecond < Number.POSITIVE_INFINITY) this.#callRate = new TokenBucket(callsPerSecond, now());
    if (messagesPerSecond < Number.POSITIVE_INFINITY)
      this.#messageRate = new TokenBucket(messagesPerSecond, now());
  }

  /** @throws SidecarError TOO_MANY_CALLS, RATE_LIMITED */
  begin(): void {
    const { maxCallsPerClient, callsPerSecond } = this.bounds;
    if (this.calls >= maxCallsPerClient)
      throw tooManyCalls('this client', 'limits.maxCallsPerClient', maxCallsPerClient);
    const waitMs = this.#callRate?.take(this.now()) ?? 0;
    if (waitMs > 0) throw rateLimited('calls', 'limits.maxCallsPerSecond', callsPerSecond, waitMs);
    this.calls++;
  }

  /** For one message that can be refused. @throws SidecarError RATE_LIMITED */
  takeMessage(): void {
    const waitMs = this.#messageRate?.take(this.now()) ?? 0;
    if (waitMs > 0)
      throw rateLimited('messages', 'limits.maxMessagesPerSecond', this.bounds.messagesPerSecond, waitMs);
  }

  /** For messages that are sent in any case. @returns how long the next ones have to wait, in ms */
  spendMessages(count: number): number {
    return this.#messageRate?.spend(count, this.now()) ?? 0;
  }

  /** Whether nothing is lost when it is forgotten. */
  get isUnused(): boolean {
    const now = this.now();
    return (
      this.calls === 0 && this.#callRate?.isFull(now) !== false && this.#messageRate?.isFull(now) !== false
    );
  }
}

/** Counts the calls of a server, and says when there are too many. */
export class CallLimits {
  readonly #clients = new Map<string, ClientUse>();
  #calls = 0;
  #tidyAt = TIDY_AT;

  constructor(
    private readonly bounds: CallBounds,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Calls that are open. */
  get calls(): number {
    return this.#calls;
  }

  /** Clients that are remembered. */
  get clients(): number {
    return this.#clients.size;
  }

  /**
   * Counts one call more, until leave().
   *
   * @throws SidecarError TOO_MANY_CALLS, RATE_LIMITED
   */
  enter(client: string): ClientUse {
    const { maxCalls } = this.bounds;
    if (this.#calls >= maxCalls) throw tooManyCalls('the sidecar', 'limits.maxCalls', maxCalls);
    const use = this.#useOf(client);
    use.begin();
    this.#calls++;
    return use;
  }

  /** Counts one call more, whatever the bounds are. */
  enterAlways(client: string): ClientUse {
    const use = this.#useOf(client);
    use.calls++;
    this.#calls++;
    return use;
  }

  leave(use: ClientUse): void {
    this.#calls--;
    use.calls--;
    if (use.isUnused) this.#clients.delete(use.client);
  }

  #useOf(client: string): ClientUse {
    const known = this.#clients.get(client);
    if (known !== undefined) return known;
    if (this.#clients.size >= this.#tidyAt) this.#tidy();
    const use = new ClientUse(client, this.bounds, this.now);
    this.#clients.set(client, use);
    return use;
  }

  /** Those that left before their rates were full again. */
  #tidy(): void {
    for (const [client, use] of this.#clients) if (use.isUnused) this.#clients.delete(client);
    this.#tidyAt = Math.max(TIDY_AT, 2 * this.#clients.size);
  }
}

function tooManyCalls(who: string, limit: string, bound: number): SidecarError {
  const message = `${who} has ${bound} calls open, which is as many as it may have`;
  const metadata = { limit, bound: String(bound) };
  return new SidecarError('TOO_MANY_CALLS', message, metadata, { retryDelayMs: RETRY_MS });
}

function rateLimited(what: string, limit: string, bound: number, retryDelayMs: number): SidecarError {
  const message = `this client may have ${bound} ${what} in a second; there is room in ${retryDelayMs} ms`;
  const metadata = { limit, bound: String(bound), outcome: 'not-sent' };
  return new SidecarError('RATE_LIMITED', message, metadata, { retryDelayMs });
}
