import type { DaemonConnection } from '../connection/daemon-connection.js';
import { interruptedBy, refusedAfter } from '../end-errors.js';
import type { GroupMemberships } from '../group-memberships.js';
import type { EndReason, MailboxEnd } from '../mailbox-types.js';
import type { Inbox, InboxListener } from '../queue/inbox.js';
import { Lease } from './lease.js';

/** The parts that end with the mailbox. */
export interface Ending {
  readonly inbox: Inbox;
  readonly groups: GroupMemberships;
  readonly lease: Lease;
  readonly connection: DaemonConnection;
}

/** How a mailbox disconnects from its daemon. */
export interface Departure {
  /** Groups to leave before the disconnect message. */
  readonly leaving?: readonly string[];
  /** Whether to close the socket without a disconnect message. */
  readonly abort?: boolean;
  /** See MailboxEnd. */
  readonly metadata?: MailboxEnd['metadata'];
}

export interface LifetimeListener {
  /** Called once, when the mailbox has ended. */
  ended(reason: EndReason, message: string): void;
  /** The mailbox has ended, and no receiver read its queue within its lease. Not called after it is discarded. */
  abandoned(): void;
}

/**
 * The end of a mailbox: once, for one reason. The mailbox disconnects from the daemon, and receivers get the
 * queued events. When the mailbox is discarded too and has no receiver, its events are discarded. A receiver that
 * takes nothing for one lease after the end is disconnected, because memory is not held for a client that does not
 * read.
 */
export class MailboxLifetime implements InboxListener {
  readonly #parts: Ending;
  readonly #listener: LifetimeListener;
  #end: MailboxEnd | undefined;
  #disconnecting: Promise<void> | undefined;
  /** How long an ended mailbox waits for a receiver that takes nothing. */
  #finalLease: Lease | undefined;
  /**
   * Whether the mailbox was ended because of a slow receiver. It then stops waiting when that receiver has
   * disconnected.
   */
  #wasSlow = false;
  #discarded = false;
  #awaitingRelease: (() => void)[] = [];
  readonly #awaitingEnd = new Set<(error: Error) => void>();

  constructor(parts: Ending, listener: LifetimeListener) {
    this.#parts = parts;
    this.#listener = listener;
    parts.inbox.listen(this);
  }

  /** The end of the mailbox. Undefined while it is open. */
  get end(): MailboxEnd | undefined {
    return this.#end;
  }

  /** Ends the mailbox. Its connection is closed already, or the caller closes it. Call it once. */
  finish(reason: EndReason, message: string, metadata?: MailboxEnd['metadata']): void {
    const { inbox, groups, connection } = this.#parts;
    const end: MailboxEnd = {
      reason,
      lastSequence: inbox.queue.lastSequence,
      message,
      metadata,
      ...(reason === 'CONNECTION_CLOSED' ? { spreadCode: 'CONNECTION_CLOSED' as const } : {}),
    };
    this.#end = end;
    inbox.finish(end);
    this.#startFinalLease();
    groups.end(() => interruptedBy(end, 'unknown'));
    this.#listener.ended(reason, message);
    this.#notifyEnded(() => interruptedBy(end, 'not-sent'));
    const givenUp = connection.giveUp(end);
    if (givenUp !== undefined) this.#disconnecting = givenUp;
  }

  /**
   * Ends the mailbox, if it is open, and its connection. Resolves when the connection is closed. Never rejects.
   */
  close(
    reason: EndReason,
    message: string,
    { leaving = [], abort = false, metadata }: Departure = {},
  ): Promise<void> {
    const { connection } = this.#parts;
    if (this.#end === undefined) {
      this.finish(reason, message, metadata);
      if (abort) connection.abort();
      else this.#disconnecting ??= connection.disconnect(leaving);
    }
    return this.#disconnecting ?? Promise.resolve();
  }

  overflow(bound: string): void {
    this.#endAsSlow('QUEUE_OVERFLOW', `reached its limit of ${bound}`, { bound });
  }

  softLimitOver(bound: string, timeMs: number): void {
    const time = `${timeMs} ms`;
    this.#endAsSlow('SLOW_CONSUMER', `exceeded its soft limit of ${bound} for ${time}`, { bound, time });
  }

  /** A receiver got some of the remaining events, or its transport sent some. */
  takenAfterEnd(): void {
    this.#finalLease?.touch();
  }

  /** No receiver and no transport holds any memory of the mailbox. */
  released(): void {
    for (const resolve of this.#awaitingRelease.splice(0)) resolve();
  }

  /** See Mailbox.drain. */
  async drain(): Promise<void> {
    const { inbox, connection } = this.#parts;
    if (this.#end === undefined) {
      connection.pause();
      this.finish('DRAINING', 'the sidecar is shutting down');
    }
    while (inbox.receiverAttached) await this.#release();
    this.#disconnecting ??= connection.disconnect([]);
    await this.#disconnecting;
  }

  /** See Mailbox.discard. */
  async discard(): Promise<void> {
    const { inbox, lease } = this.#parts;
    this.#discarded = true;
    lease.stop();
    this.#startFinalLease();
    this.#disposeWhenUnused();
    await this.drain();
    while (inbox.isHeld) await this.#release();
    this.#finalLease?.stop();
  }

  /** See Mailbox.onEnd. */
  onEnd(callback: (error: Error) => void): () => void {
    this.#awaitingEnd.add(callback);
    const end = this.#end;
    if (end !== undefined) this.#notifyEnded(() => refusedAfter(end));
    return () => this.#awaitingEnd.delete(callback);
  }

  /** A receiver has attached and keeps the mailbox alive. Returns the function to call when it has detached. */
  receiverAttached(): () => void {
    const release = this.#parts.lease.hold();
    if (this.#end !== undefined) queueMicrotask(() => this.#startFinalLease());
    return () => {
      release();
      // A receiver that takes over attaches in the same turn.
      queueMicrotask(() => {
        this.released();
        this.#disposeWhenUnused();
      });
    };
  }

  /**
   * Ends the mailbox, if it is open, because its receiver was too slow. Queued events can still be received within
   * the lease.
   *
   * @param what the state of the queue, for the message
   */
  #endAsSlow(reason: EndReason, what: string, metadata: Readonly<Record<string, string>>): void {
    if (this.#end !== undefined) return;
    this.#wasSlow = true;
    void this.close(reason, `the event queue ${what}`, { metadata });
  }

  #release(): Promise<void> {
    return new Promise((resolve) => this.#awaitingRelease.push(resolve));
  }

  /**
   * The mailbox has ended. From now on, it waits for one lease after each sign that a receiver takes events. A
   * drain has a separate time limit.
   */
  #startFinalLease(): void {
    if (this.#finalLease !== undefined || this.#end === undefined || this.#end.reason === 'DRAINING') return;
    const { inbox, lease } = this.#parts;
    if (!inbox.isHeld && !this.#wasSlow) return;
    this.#finalLease = new Lease(lease.leaseMs, () => this.#onFinalLeaseOver());
  }

  #onFinalLeaseOver(): void {
    this.#finalLease = undefined;
    const { inbox, lease } = this.#parts;
    if (!inbox.isHeld && !this.#wasSlow) return;
    const message = `the mailbox was disconnected, and its receiver read nothing for one lease period of ${lease.leaseMs} ms`;
    inbox.cut({ reason: 'LEASE_EXPIRED', message });
    inbox.abandonReceivers();
    if (!this.#discarded) this.#listener.abandoned();
  }

  /** Runs in a later turn, after sends have reported their outcomes. */
  #notifyEnded(errorOf: () => Error): void {
    if (this.#awaitingEnd.size === 0) return;
    setImmediate(() => {
      for (const callback of this.#awaitingEnd) {
        this.#awaitingEnd.delete(callback);
        callback(errorOf());
      }
    });
  }

  #disposeWhenUnused(): void {
    const { inbox } = this.#parts;
    if (this.#discarded && !inbox.receiverAttached) inbox.dispose();
  }
}
