import { EdgeError } from '../codec/edge-error.js';
import { hasItsShare } from '../transport/shares.js';
import { TokenBucket } from '../transport/token-bucket.js';

/** Limits of calls and messages. Infinity: no limit. */
export interface CallBounds {
  /** Concurrent calls of all clients. */
  readonly maxCalls: number;
  /** Concurrent calls of one client. */
  readonly maxCallsPerClient: number;
  /** Calls that one client can start per second. */
  readonly callsPerSecond: number;
  /** Messages that one client can send per second. */
  readonly messagesPerSecond: number;
}

/** Retry delay for calls above a limit. Unit: ms. */
const RETRY_MS = 1000;
/** Number of remembered clients above which those with recovered rates are removed. */
const TIDY_AT = 256;

/** The usage of one client. */
export class ClientUse {
  calls = 0;
  readonly #callRate: TokenBucket | undefined;
  readonly #messageRate: TokenBucket | undefined;

  constructor(
    /** The client's identity, without its credential. */
    readonly client: string,
    private readonly bounds: CallBounds,
    private readonly now: () => number,
  ) {
    const { callsPerSecond, messagesPerSecond } = bounds;
    if (callsPerSecond < Number.POSITIVE_INFINITY) this.#callRate = new TokenBucket(callsPerSecond, now());
    if (messagesPerSecond < Number.POSITIVE_INFINITY)
      this.#messageRate = new TokenBucket(messagesPerSecond, now());
  }

  /** @throws EdgeError TOO_MANY_CALLS, RATE_LIMITED */
  begin(): void {
    const { maxCallsPerClient, callsPerSecond } = this.bounds;
    if (this.calls >= maxCallsPerClient)
      throw tooManyCalls('this client', 'limits.maxCallsPerClient', maxCallsPerClient);
    const waitMs = this.#callRate?.take(this.now()) ?? 0;
    if (waitMs > 0)
      throw rateLimited(
        `start at most ${callsPerSecond} calls`,
        'limits.maxCallsPerSecond',
        callsPerSecond,
        waitMs,
      );
    this.calls++;
  }

  /** Counts one message that can be rejected. @throws EdgeError RATE_LIMITED */
  takeMessage(): void {
    const { messagesPerSecond } = this.bounds;
    const waitMs = this.#messageRate?.take(this.now()) ?? 0;
    if (waitMs > 0)
      throw rateLimited(
        `send at most ${messagesPerSecond} messages`,
        'limits.maxMessagesPerSecond',
        messagesPerSecond,
        waitMs,
      );
  }

  /** Counts messages that are sent in any case. @returns delay for the next messages, in ms */
  spendMessages(count: number): number {
    return this.#messageRate?.spend(count, this.now()) ?? 0;
  }

  /** Whether removing the client loses no information. */
  get isUnused(): boolean {
    const now = this.now();
    return (
      this.calls === 0 && this.#callRate?.isFull(now) !== false && this.#messageRate?.isFull(now) !== false
    );
  }
}

/** Counts the calls of a server, and rejects calls above the limits. */
export class CallLimits {
  readonly #clients = new Map<string, ClientUse>();
  /** Open calls by connection. */
  readonly #connections = new Map<object, number>();
  #calls = 0;
  #tidyAt = TIDY_AT;

  constructor(
    private readonly bounds: CallBounds,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Number of open calls. */
  get calls(): number {
    return this.#calls;
  }

  /** Number of remembered clients. */
  get clients(): number {
    return this.#clients.size;
  }

  /**
   * Counts one more call, until leave().
   *
   * @param connection - any object that identifies the connection of the call
   * @throws EdgeError TOO_MANY_CALLS, RATE_LIMITED
   */
  enter(client: string, connection?: object): ClientUse {
    const { maxCalls } = this.bounds;
    if (this.#calls >= maxCalls) throw tooManyCalls('the sidecar', 'limits.maxCalls', maxCalls);
    const own = (connection && this.#connections.get(connection)) ?? 0;
    if (hasItsShare(own, this.#calls, maxCalls))
      throw tooManyCalls('this connection', 'limits.maxCalls', own);
    const use = this.#useOf(client);
    use.begin();
    this.#calls++;
    this.#count(connection, 1);
    return use;
  }

  /** Counts one more call, whatever the limits are. */
  enterAlways(client: string, connection?: object): ClientUse {
    const use = this.#useOf(client);
    use.calls++;
    this.#calls++;
    this.#count(connection, 1);
    return use;
  }

  /** @param connection - the connection that the call was entered with */
  leave(use: ClientUse, connection?: object): void {
    this.#calls--;
    use.calls--;
    this.#count(connection, -1);
    if (use.isUnused) this.#clients.delete(use.client);
  }

  #count(connection: object | undefined, change: 1 | -1): void {
    if (connection === undefined) return;
    const calls = (this.#connections.get(connection) ?? 0) + change;
    if (calls > 0) this.#connections.set(connection, calls);
    else this.#connections.delete(connection);
  }

  #useOf(client: string): ClientUse {
    const known = this.#clients.get(client);
    if (known !== undefined) return known;
    if (this.#clients.size >= this.#tidyAt) this.#tidy();
    const use = new ClientUse(client, this.bounds, this.now);
    this.#clients.set(client, use);
    return use;
  }

  /** Clients that left before their rates had recovered. */
  #tidy(): void {
    for (const [client, use] of this.#clients) if (use.isUnused) this.#clients.delete(client);
    this.#tidyAt = Math.max(TIDY_AT, 2 * this.#clients.size);
  }
}

function tooManyCalls(who: string, limit: string, bound: number): EdgeError {
  const message = `${who} has reached its limit of open calls: ${bound}`;
  const metadata = { limit, bound: String(bound) };
  return new EdgeError('TOO_MANY_CALLS', message, metadata, { retryDelayMs: RETRY_MS });
}

function rateLimited(what: string, limit: string, bound: number, retryDelayMs: number): EdgeError {
  const message = `this client may ${what} per second; retry after ${retryDelayMs} ms`;
  const metadata = { limit, bound: String(bound), outcome: 'not-sent' };
  return new EdgeError('RATE_LIMITED', message, metadata, { retryDelayMs });
}
