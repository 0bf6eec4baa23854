import { parseAddress } from '../spread/address.js';
import type { SpreadError } from '../spread/spread-error.js';
import type { Version } from '../spread/wire/index.js';
import { Backoff, type BackoffOptions } from './backoff.js';
import type { ConnectSession, MailboxSession } from './mailbox-session.js';
import { openSession } from './open-session.js';

/** What is known of the default daemon. */
export type DaemonStatus =
  | { readonly up: true; readonly daemon: string; readonly version: Version; readonly sinceMs: number }
  | {
      readonly up: false;
      /** Why; undefined before the first attempt has failed and after stop(). */
      readonly error: Error | undefined;
      readonly sinceMs: number;
    };

export interface DaemonMonitorOptions {
  /** The default daemon as spread names, in the order in which they are to be tried. */
  readonly daemons: readonly string[];
  readonly connect: ConnectSession;
  /** For one daemon, milliseconds. */
  readonly connectTimeoutMs: number;
  readonly backoff: BackoffOptions;
  /** Called at each change between up and down, and when another daemon of the list is found up. */
  onChange?(status: DaemonStatus): void;
}

/**
 * Knows whether the default daemon is up, and its version, by holding one session of its own: without membership, under a
 * name that the daemon makes, in no group. There is no other way to ask a daemon.
 */
export class DaemonMonitor {
  readonly #options: DaemonMonitorOptions;
  readonly #backoff: Backoff;
  #status: DaemonStatus = { up: false, error: undefined, sinceMs: Date.now() };
  #session: MailboxSession | undefined;
  #timer: NodeJS.Timeout | undefined;
  #attempt: Promise<void> | undefined;
  readonly #stopping = new AbortController();

  constructor(options: DaemonMonitorOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.backoff);
  }

  get status(): DaemonStatus {
    return this.#status;
  }

  /** Begins. Resolves when the first attempt has succeeded or failed. Once only. */
  start(): Promise<void> {
    this.#attempt = this.#connect();
    return this.#attempt;
  }

  /** Ends, with a goodbye to the daemon. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#attempt;
    await this.#session?.disconnect();
    this.#session = undefined;
  }

  async #connect(): Promise<void> {
    const { daemons, connect, connectTimeoutMs } = this.#options;
    try {
      const { session, daemon } = await openSession({
        candidates: daemons.map((name) => parseAddress(name)),
        privateName: '',
        onNameConflict: 'FAIL',
        session: { membership: false, timeoutMs: connectTimeoutMs, signal: this.#stopping.signal },
        connect,
        onFailed: () => {},
      });
      this.#session = session;
      // Nobody knows its name; whatever comes nevertheless is not for anybody.
      session.start({ onMessage: () => {}, onClose: (error) => this.#onClose(error) });
      if (this.#stopping.signal.aborted) return;
      this.#change({ up: true, daemon, version: session.daemonVersion, sinceMs: Date.now() });
    } catch (error) {
      this.#down(error as Error);
    }
  }

  #onClose(error: SpreadError | undefined): void {
    this.#session = undefined;
    // A daemon that takes sessions only to drop them is not asked at the quickest pace.
    if (Date.now() - this.#status.sinceMs >= this.#options.backoff.maxMs) this.#backoff.reset();
    this.#down(error);
  }

  #down(error: Error | undefined): void {
    if (this.#stopping.signal.aborted) {
      this.#status = { up: false, error: undefined, sinceMs: Date.now() };
      return;
    }
    const wasUp = this.#status.up;
    const first = !wasUp && this.#status.error === undefined;
    const sinceMs = wasUp ? Date.now() : this.#status.sinceMs;
    if (wasUp || first) this.#change({ up: false, error, sinceMs });
    else this.#status = { up: false, error, sinceMs };
    this.#timer = setTimeout(() => {
      this.#attempt = this.#connect();
    }, this.#backoff.next());
  }

  #change(status: DaemonStatus): void {
    this.#status = status;
    this.#options.onChange?.(status);
  }
}
