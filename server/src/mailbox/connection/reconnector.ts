import { formatAddress, type SpreadAddress } from '../../spread/address.js';
import type { SessionOptions } from '../../spread/session-options.js';
import { SpreadError } from '../../spread/spread-error.js';
import { Backoff, type BackoffOptions } from './backoff.js';
import type { OpenedSession } from './daemon-failover.js';
import type { ConnectSession, MailboxSession } from './mailbox-session.js';
import { privateNames } from './name-conflict.js';
import type { NameLossPolicy } from './reconnect-options.js';

export interface ReconnectorOptions {
  /** The daemons that the mailbox may use, in the order of the attempts; at least one. */
  readonly candidates: readonly SpreadAddress[];
  /** The name that the client requested. Empty: the daemon generates one each time. */
  readonly privateName: string;
  /** The name that the daemon assigned. Empty like `privateName`. */
  readonly givenName: string;
  readonly onNameLoss: NameLossPolicy;
  /** Time after the loss. Unit: ms. */
  readonly giveUpAfterMs: number;
  /** Time for which a name is tried while another session holds it, from the first conflict on. Unit: ms. */
  readonly nameWaitMs: number;
  /** Time limit for one daemon. Unit: ms. */
  readonly connectTimeoutMs: number;
  /** Time limit for the disconnect of a session that arrived too late. Unit: ms. */
  readonly disconnectTimeoutMs: number;
  readonly backoff: BackoffOptions;
  /** The options that all attempts share. */
  readonly session: Omit<SessionOptions, 'address' | 'privateName' | 'timeoutMs' | 'signal'>;
  readonly connect: ConnectSession;
}

/** Gets the results. Not called after stop(). */
export interface ReconnectorHooks {
  /** False: no attempt may start now. retry() follows when that changes. */
  mayTry(): boolean;
  /** A daemon could not be reached or rejected the session. */
  failed(daemon: string, error: Error): void;
  /** Connected and not started. */
  restored(opened: OpenedSession): void;
  /** The reconnector gives up; the text is the reason. */
  givenUp(why: string): void;
}

/** The name is not available, and the mailbox must not use another one. */
class NameLost extends Error {}

/**
 * Reconnects one mailbox with growing pauses. It first tries the same daemon, then the others, and first the same
 * name, until an attempt succeeds or the time has passed.
 */
export class Reconnector {
  readonly #options: ReconnectorOptions;
  readonly #hooks: ReconnectorHooks;
  readonly #backoff: Backoff;
  /** The name to use again. Empty: the daemon generates one. */
  #name: string;
  #restoredAt = Number.NEGATIVE_INFINITY;
  #current: AbortController | undefined;
  #running: Promise<void> | undefined;
  #retry: (() => void) | undefined;
  #nameDeadline: number | undefined;

  constructor(options: ReconnectorOptions, hooks: ReconnectorHooks) {
    this.#options = options;
    this.#hooks = hooks;
    this.#name = options.givenName;
    this.#backoff = new Backoff(options.backoff);
  }

  /** The connection to this daemon (a Spread name) was lost. Call it when no attempt is active. */
  start(daemon: string): void {
    // A daemon that accepts sessions and then closes them is tried less often.
    if (performance.now() - this.#restoredAt >= this.#options.backoff.maxMs) this.#backoff.reset();
    this.#nameDeadline = undefined;
    const ended = new AbortController();
    this.#current = ended;
    this.#running = this.#run(daemon, ended);
  }

  /** The result of mayTry() has changed. */
  retry(): void {
    this.#retry?.();
  }

  /** Stops without a report. Resolves when no attempt is active at any daemon. Never rejects. */
  async stop(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    current?.abort();
    await this.#running;
  }

  async #run(lost: string, ended: AbortController): Promise<void> {
    const { giveUpAfterMs } = this.#options;
    const deadline = performance.now() + giveUpAfterMs;
    const timer = setTimeout(() => ended.abort(), giveUpAfterMs);
    let why = 'no attempt could be made';
    let opened: OpenedSession | undefined;
    try {
      while (opened === undefined) {
        await this.#pause(ended.signal);
        if (ended.signal.aborted) break;
        try {
          opened = await this.#attempt(lost, deadline, ended.signal);
        } catch (error) {
          why = (error as Error).message;
          if (error instanceof NameLost) break;
        }
      }
    } finally {
      clearTimeout(timer);
    }
    if (this.#current !== ended || (opened !== undefined && ended.signal.aborted)) {
      await opened?.session.disconnect(this.#options.disconnectTimeoutMs);
      if (this.#current !== ended) return;
      opened = undefined;
    }
    this.#current = undefined;
    if (opened === undefined) {
      this.#hooks.givenUp(why);
      return;
    }
    this.#restoredAt = performance.now();
    this.#hooks.restored(opened);
  }

  /** The pause before an attempt. Also waits until an attempt may start. */
  async #pause(signal: AbortSignal): Promise<void> {
    const ms = this.#backoff.next();
    const untilName = (this.#nameDeadline ?? Number.POSITIVE_INFINITY) - performance.now();
    // The pause must end when another name becomes acceptable.
    await sleep(untilName > 0 ? Math.min(ms, Math.ceil(untilName)) : ms, signal);
    while (!signal.aborted && !this.#hooks.mayTry()) {
      await new Promise<void>((resolve) => {
        this.#retry = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      this.#retry = undefined;
    }
  }

  /** One attempt at each daemon. */
  async #attempt(lost: string, deadline: number, signal: AbortSignal): Promise<OpenedSession> {
    let last: unknown;
    for (const address of this.#inOrder(lost)) {
      const daemon = formatAddress(address);
      try {
        return { session: await this.#connectTo(address, deadline, signal), daemon };
      } catch (error) {
        if (signal.aborted) throw error;
        this.#hooks.failed(daemon, error as Error);
        // At another daemon, the same name would result in another private group. The reconnector therefore waits while
        // the name may become free.
        if (error instanceof NameLost || isNotUnique(error)) throw error;
        last = error;
      }
    }
    throw last;
  }

  async #connectTo(address: SpreadAddress, deadline: number, signal: AbortSignal): Promise<MailboxSession> {
    const { session, connect, connectTimeoutMs, nameWaitMs, onNameLoss } = this.#options;
    const open = (privateName: string): Promise<MailboxSession> => {
      const leftMs = Math.max(1, Math.ceil(deadline - performance.now()));
      const timeoutMs = Math.min(connectTimeoutMs, leftMs);
      return connect({ ...session, address, privateName, timeoutMs, signal });
    };
    try {
      return await open(this.#name);
    } catch (error) {
      if (!isNotUnique(error) || signal.aborted) throw error;
      const now = performance.now();
      this.#nameDeadline ??= now + nameWaitMs;
      if (now < this.#nameDeadline) throw error;
      if (onNameLoss !== 'END') return await this.#connectAsAnother(open);
      const daemon = formatAddress(address);
      throw new NameLost(`its private name ${this.#name} is in use at daemon ${daemon}`, { cause: error });
    }
  }

  async #connectAsAnother(open: (name: string) => Promise<MailboxSession>): Promise<MailboxSession> {
    const { privateName, onNameLoss } = this.#options;
    const names = onNameLoss === 'DAEMON_MADE' ? [''] : privateNames(privateName, 'SUFFIX');
    let nameConflict: unknown;
    for (const name of names) {
      try {
        const session = await open(name);
        this.#name = name;
        return session;
      } catch (error) {
        if (!isNotUnique(error)) throw error;
        nameConflict = error;
      }
    }
    throw nameConflict;
  }

  /** The daemon that was lost first, then the others in the order of the list. */
  #inOrder(daemon: string): readonly SpreadAddress[] {
    const { candidates } = this.#options;
    const same = candidates.filter((address) => formatAddress(address) === daemon);
    return [...same, ...candidates.filter((address) => formatAddress(address) !== daemon)];
  }
}

function isNotUnique(error: unknown): boolean {
  return error instanceof SpreadError && error.code === 'REJECT_NOT_UNIQUE';
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done, { once: true });
  });
}
