import type { DaemonConnection } from './daemon-connection.js';
import type { GroupMemberships } from './group-memberships.js';
import type { Inbox } from './inbox.js';
import { Lease } from './lease.js';
import { interruptedBy, refusedAfter } from './mailbox-end.js';
import type { EndReason, MailboxEnd } from './mailbox-types.js';

/** What ends with the mailbox. */
export interface Ending {
  readonly inbox: Inbox;
  readonly groups: GroupMemberships;
  readonly lease: Lease;
  readonly connection: DaemonConnection;
}

/** How a mailbox leaves its daemon. */
export interface Departure {
  /** Groups that it leaves before the goodbye. */
  readonly leaving?: readonly string[];
  /** The socket is dropped without a goodbye. */
  readonly abort?: boolean;
  /** See MailboxEnd. */
  readonly metadata?: MailboxEnd['metadata'];
}

export interface MailboxLifeHooks {
  /** Told once, when it has ended. */
  ended(reason: EndReason, message: string): void;
  /** It was ended because its receiver was too slow, and what is queued was not taken either. */
  abandoned(): void;
}

/**
 * The end of a mailbox: once, for one reason. The daemon is told goodbye, receivers get what is queued, and when the
 * mailbox is discarded too and nobody receives any more, its events go.
 */
export class MailboxLife {
  readonly #parts: Ending;
  readonly #hooks: MailboxLifeHooks;
  #end: MailboxEnd | undefined;
  #goodbye: Promise<void> | undefined;
  /** How long a mailbox that was ended for slowness waits for its receiver. */
  #patience: Lease | undefined;
  #discarded = false;
  #awaitingReceiver: (() => void)[] = [];
  readonly #awaitingEnd = new Set<(error: Error) => void>();

  constructor(parts: Ending, hooks: MailboxLifeHooks) {
    this.#parts = parts;
    this.#hooks = hooks;
  }

  /** How it has ended; undefined while it is open. */
  get end(): MailboxEnd | undefined {
    return this.#end;
  }

  /** Ends the mailbox, whose connection is closed already or is taken care of by the caller. To be called once. */
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
    groups.end(() => interruptedBy(end, 'unknown'));
    this.#hooks.ended(reason, message);
    this.#tell(() => interruptedBy(end, 'not-sent'));
    const givenUp = connection.giveUp();
    if (givenUp !== undefined) this.#goodbye = givenUp;
  }

  /** Ends the mailbox, if it is open, and its connection. Resolves when that is closed. Never rejects. */
  close(
    reason: EndReason,
    message: string,
    { leaving = [], abort = false, metadata }: Departure = {},
  ): Promise<void> {
    const { connection } = this.#parts;
    if (this.#end === undefined) {
      this.finish(reason, message, metadata);
      if (abort) connection.abort();
      else this.#goodbye ??= connection.sayGoodbye(leaving);
    }
    return this.#goodbye ?? Promise.resolve();
  }

  /**
   * Ends the mailbox, if it is open, because its receiver was too slow. What is queued can still be taken; but memory is
   * not held for ever for a receiver that takes nothing, though it be attached: it is waited for as long as the lease.
   *
   * @param what the queue did
   */
  endAsSlow(reason: EndReason, what: string, metadata: Readonly<Record<string, string>>): void {
    if (this.#end !== undefined) return;
    this.#patience = new Lease(this.#parts.lease.leaseMs, () => this.#hooks.abandoned());
    void this.close(reason, `the event queue ${what}`, { metadata });
  }

  /** A receiver was given something of what was left when the mailbox ended. */
  takenAfterEnd(): void {
    this.#patience?.touch();
  }

  /** See Mailbox.drain. */
  async drain(): Promise<void> {
    const { inbox, connection } = this.#parts;
    if (this.#end === undefined) {
      connection.pause();
      this.finish('DRAINING', 'the sidecar is shutting down');
    }
    while (inbox.receiverAttached) {
      await new Promise<void>((resolve) => {
        this.#awaitingReceiver.push(resolve);
      });
    }
    this.#goodbye ??= connection.sayGoodbye([]);
    await this.#goodbye;
  }

  /** See Mailbox.discard. */
  async discard(): Promise<void> {
    this.#discarded = true;
    this.#parts.lease.stop();
    this.#patience?.stop();
    this.#letGo();
    await this.drain();
  }

  /** See Mailbox.onEnd. */
  onEnd(callback: (error: Error) => void): () => void {
    this.#awaitingEnd.add(callback);
    const end = this.#end;
    if (end !== undefined) this.#tell(() => refusedAfter(end));
    return () => this.#awaitingEnd.delete(callback);
  }

  /** A receiver came, which keeps the mailbox alive; returns what to call when it has gone. */
  holdForReceiver(): () => void {
    const release = this.#parts.lease.hold();
    return () => {
      release();
      // A receiver that takes over is attached in the same turn.
      queueMicrotask(() => {
        for (const gone of this.#awaitingReceiver.splice(0)) gone();
        this.#letGo();
      });
    };
  }

  /** In a later turn: until then what was sent tells what became of it. */
  #tell(errorOf: () => Error): void {
    if (this.#awaitingEnd.size === 0) return;
    setImmediate(() => {
      for (const callback of this.#awaitingEnd) {
        this.#awaitingEnd.delete(callback);
        callback(errorOf());
      }
    });
  }

  #letGo(): void {
    const { inbox } = this.#parts;
    if (this.#discarded && !inbox.receiverAttached) inbox.dispose();
  }
}
