import { parseAddress } from '../../spread/address.js';
import { SpreadError } from '../../spread/spread-error.js';
import type { Version } from '../../spread/wire/index.js';
import { Backoff, type BackoffOptions } from './backoff.js';
import { openSession } from './daemon-failover.js';
import { DaemonProbe, type ProbeBounds } from './daemon-probe.js';
import type { ConnectSession, MailboxSession } from './mailbox-session.js';

/** The state of the default daemon. */
export type DaemonStatus =
  | { readonly up: true; readonly daemon: string; readonly version: Version }
  | {
      readonly up: false;
      /** The reason for `up: false`. Undefined before the first attempt has failed and after stop(). */
      readonly error: Error | undefined;
    };

export interface DaemonMonitorOptions {
  /** The default daemons as Spread names, in the order of the attempts. */
  readonly daemons: readonly string[];
  readonly connect: ConnectSession;
  /** Time limit for one daemon. Unit: ms. */
  readonly connectTimeoutMs: number;
  readonly backoff: BackoffOptions;
  /** How often the monitor checks that the daemon forwards messages. */
  readonly probe: ProbeBounds;
  /** Called at each change between up and down, and when another daemon of the list is found up. */
  onChange?(status: DaemonStatus): void;
  /** A message that the monitor sent to itself came back after this time. */
  onRoundTrip?(seconds: number): void;
}

/**
 * Monitors whether the default daemon is up, and its version, with one session: without membership, with a name
 * that the daemon generates, in no group. There is no other way to check a daemon. The session sends messages to
 * itself: a daemon that does not return one in time is down, although the connection is open.
 */
export class DaemonMonitor {
  readonly #options: DaemonMonitorOptions;
  readonly #backoff: Backoff;
  #status: DaemonStatus = { up: false, error: undefined };
  /** Time of the last change between up and down, by the monotonic clock. */
  #changedAt = performance.now();
  #session: MailboxSession | undefined;
  #probe: DaemonProbe | undefined;
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

  /**
   * Starts, unless it was stopped. Resolves when the first attempt has succeeded or failed. Further calls have no
   * effect.
   */
  start(): Promise<void> {
    if (this.#stopping.signal.aborted) return Promise.resolve();
    this.#attempt ??= this.#connect();
    return this.#attempt;
  }

  /** Stops, with a disconnect message to the daemon. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#attempt;
    this.#probe?.stop();
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
      const probe = new DaemonProbe(session, this.#options.probe, {
        onRoundTrip: (seconds) => this.#options.onRoundTrip?.(seconds),
        onTimeout: () => this.#onTimeout(session, daemon),
      });
      this.#probe = probe;
      session.start({
        onMessage: (message) => probe.received(message),
        onClose: (error) => {
          if (this.#session === session) this.#onClose(error);
        },
      });
      if (this.#stopping.signal.aborted) return;
      this.#change({ up: true, daemon, version: session.daemonVersion });
      probe.start();
    } catch (error) {
      this.#down(error as Error);
    }
  }

  #onClose(error: SpreadError | undefined): void {
    this.#probe?.stop();
    this.#session = undefined;
    // A daemon that accepts sessions and then closes them is tried less often.
    if (performance.now() - this.#changedAt >= this.#options.backoff.maxMs) this.#backoff.reset();
    this.#down(error);
  }

  #onTimeout(session: MailboxSession, daemon: string): void {
    const time = `${this.#options.probe.timeoutMs} ms`;
    const message = `the daemon at ${daemon} did not return a message of the sidecar within ${time}`;
    this.#onClose(new SpreadError('CONNECTION_CLOSED', message));
    session.abort();
  }

  #down(error: Error | undefined): void {
    if (this.#stopping.signal.aborted) {
      this.#status = { up: false, error: undefined };
      return;
    }
    const wasUp = this.#status.up;
    const first = !wasUp && this.#status.error === undefined;
    if (wasUp || first) this.#change({ up: false, error });
    else this.#status = { up: false, error };
    this.#timer = setTimeout(() => {
      this.#attempt = this.#connect();
    }, this.#backoff.next());
  }

  #change(status: DaemonStatus): void {
    if (status.up !== this.#status.up) this.#changedAt = performance.now();
    this.#status = status;
    this.#options.onChange?.(status);
  }
}
