import type { Session } from '../../spread/session.js';
import { ServiceCounts } from '../counters.js';
import type { OutgoingMessage } from '../mailbox-types.js';
import { ByteBudget } from '../queue/byte-budget.js';
import { MailboxError, type Outcome } from '../sidecar-error.js';

/** Bytes of a frame's header and of one group in it. */
const HEADER_BYTES = 48;
const GROUP_BYTES = 32;
/** The cost of a waiting request beside its bytes: its objects. Counts in the limit of all mailboxes together. */
const ENTRY_BYTES = 320;

/** Called once: when the kernel has accepted the bytes, or with the error. */
export type OnTaken = (error?: Error) => void;

/** The part of a session that the outbox uses. */
export type OutboxSession = Pick<Session, 'bufferedBytes' | 'multicast' | 'join' | 'leave'>;

/** A join or leave. */
export interface GroupRequest {
  readonly kind: 'join' | 'leave';
  readonly group: string;
}

/** A request that waits for its turn. */
interface Entry {
  readonly request: GroupRequest | OutgoingMessage;
  readonly bytes: number;
  readonly onTaken: OnTaken | undefined;
}

/**
 * What happens to messages without a session:
 *
 * - reject: they are rejected, with nothing sent
 * - wait: they wait like those for which a session has no room
 */
export type Offline = 'refuse' | 'wait';

/** Cancels a waiting request. False when it was sent already. */
export type Cancel = () => boolean;

/**
 * The sending half of a mailbox: one order for all requests of all calls and streams. A request goes to the
 * session immediately if the session has room. Otherwise it waits here, within limits, where it can still be
 * cancelled.
 *  The session can be lost and replaced. Requests that the lost session got are never sent on the new one.
 */
export class Outbox {
  /** A set instead of an array: first in, first out, and any request can be removed. */
  readonly #entries = new Set<Entry>();
  readonly #roomWaiters = new Set<() => void>();
  #waitingBytes = 0;
  /** The session is full until it calls onDrain. */
  #blocked = false;
  #resuming = false;
  #messagesSent = 0;
  /** Messages passed to the session, by service type. */
  readonly sentByService = new ServiceCounts();
  #payloadBytesSent = 0;
  #onIdle: (() => void) | undefined;
  #session: OutboxSession | undefined;
  #offline: Offline = 'refuse';

  /**
   * @param session the first session
   * @param check rejects a waiting message like the session would
   * @param maxBytes largest number of bytes that may wait here and in the session
   * @param budget limit of the bytes in the outboxes of all mailboxes
   */
  constructor(
    session: OutboxSession,
    readonly check: (message: OutgoingMessage) => void,
    readonly maxBytes: number,
    private readonly budget: ByteBudget = new ByteBudget(Number.POSITIVE_INFINITY),
  ) {
    this.#session = session;
  }

  /** Bytes that wait for the daemon's connection. */
  get queuedBytes(): number {
    return this.#waitingBytes + (this.#session?.bufferedBytes ?? 0);
  }

  /** Number of messages passed to the session. */
  get messagesSent(): number {
    return this.#messagesSent;
  }

  get payloadBytesSent(): number {
    return this.#payloadBytesSent;
  }

  /** True while a sender should wait for onRoom. */
  get isFull(): boolean {
    return this.#blocked;
  }

  /**
   * Sends a message, or queues it.
   *
   * @returns a function that cancels it, when it has to wait
   * @throws MailboxError SEND_QUEUE_FULL, RECONNECTING, and the errors of the session and `check`
   */
  multicast(message: OutgoingMessage, onTaken?: OnTaken): Cancel | undefined {
    if (this.#isRefusing) {
      this.check(message);
      throw reconnecting();
    }
    const bytes = HEADER_BYTES + GROUP_BYTES * message.groups.length + message.payload.length;
    this.#mustHaveRoomFor(bytes);
    if (this.#mayWrite) {
      this.#writeMessage(this.#session!, message, onTaken);
      return undefined;
    }
    this.check(message);
    return this.#enqueue({ request: message, bytes, onTaken });
  }

  /**
   * Sends a join or leave, or queues it. Without a session there is nothing to do, because the next session starts
   * with joins of the mailbox's groups.
   *
   * @throws MailboxError SEND_QUEUE_FULL, and the errors of the session
   */
  request(request: GroupRequest, onTaken?: OnTaken): void {
    if (this.#session === undefined) {
      if (onTaken !== undefined) queueMicrotask(() => onTaken());
      return;
    }
    const bytes = HEADER_BYTES + GROUP_BYTES;
    this.#mustHaveRoomFor(bytes);
    if (this.#mayWrite) this.#writeRequest(this.#session, request, onTaken);
    else this.#enqueue({ request, bytes, onTaken });
  }

  /** Calls back once, when there is room (immediately if there is) or nothing can be sent any more. */
  onRoom(callback: () => void): void {
    this.#roomWaiters.add(callback);
    if (!this.#blocked) queueMicrotask(this.#wakeRoomWaiters);
  }

  /** Calls back once, when no request waits here any more: immediately if so, or after fail(). */
  whenIdle(callback: () => void): void {
    if (this.#entries.size === 0) callback();
    else this.#onIdle = callback;
  }

  /** Nothing can be sent any more: all waiting requests fail. */
  fail(error: (outcome: Outcome) => Error): void {
    const entries = [...this.#entries];
    for (const entry of entries) this.#remove(entry);
    this.#blocked = false;
    for (const entry of entries) entry.onTaken?.(error('not-sent'));
    this.#idle();
    this.#wakeRoomWaiters();
  }

  /**
   * The session was lost. It reports the outcome of its own requests. Of the requests that wait here, joins and
   * leaves are complete.
   */
  lose(offline: Offline): void {
    this.#session = undefined;
    this.#offline = offline;
    for (const entry of [...this.#entries]) {
      const isMessage = !('group' in entry.request);
      if (isMessage && offline === 'wait') continue;
      this.#remove(entry);
      entry.onTaken?.(isMessage ? reconnecting() : undefined);
    }
    this.#blocked = offline === 'wait';
    if (this.#entries.size === 0) this.#idle();
    // Runs in a later turn, after the lost session has reported the outcomes of its requests.
    setImmediate(this.#wakeRoomWaiters);
  }

  /** There is a new session, whose first requests are joins of these groups. Waiting requests follow them. */
  restore(session: OutboxSession, groups: readonly string[]): void {
    this.#session = session;
    this.#blocked = false;
    try {
      for (const group of groups) this.#writeRequest(session, { kind: 'join', group }, undefined);
    } catch {
      // The session was lost before it started, and reports that in this turn. Waiting requests must not fail with it.
    }
    if (this.#blocked) return;
    this.#blocked = true;
    this.onDrain();
  }

  /**
   * Call it when the session has room again. Waiting requests continue in the next turn of the event loop: a
   * kernel can accept megabytes at a time, and a process that only sends would not read meanwhile. The daemon
   * would then disconnect this process's own mailboxes as slow consumers.
   */
  onDrain(): void {
    if (this.#resuming) return;
    this.#resuming = true;
    setImmediate(this.#resume);
  }

  /** No request waits that must be sent before. */
  get #mayWrite(): boolean {
    return this.#session !== undefined && !this.#blocked && this.#entries.size === 0;
  }

  get #isRefusing(): boolean {
    return this.#session === undefined && this.#offline === 'refuse';
  }

  /** @throws MailboxError SEND_QUEUE_FULL */
  #enqueue(entry: Entry): Cancel {
    this.#mustHaveShareFor(entry);
    this.#entries.add(entry);
    this.#waitingBytes += entry.bytes;
    this.budget.take(entry.bytes + ENTRY_BYTES);
    return () => {
      if (!this.#remove(entry)) return false;
      if (this.#entries.size === 0) this.#idle();
      return true;
    };
  }

  /** False when it was removed before. */
  #remove(entry: Entry): boolean {
    if (!this.#entries.delete(entry)) return false;
    this.#waitingBytes -= entry.bytes;
    this.budget.give(entry.bytes + ENTRY_BYTES);
    return true;
  }

  #writeMessage(session: OutboxSession, message: OutgoingMessage, onTaken: OnTaken | undefined): void {
    this.#blocked = !session.multicast(message, onTaken);
    this.#messagesSent++;
    this.sentByService.add(message.serviceType);
    this.#payloadBytesSent += message.payload.length;
  }

  #writeRequest(session: OutboxSession, { kind, group }: GroupRequest, onTaken: OnTaken | undefined): void {
    this.#blocked = !(kind === 'join' ? session.join(group, onTaken) : session.leave(group, onTaken));
  }

  #mustHaveRoomFor(bytes: number): void {
    const queued = this.queuedBytes;
    if (queued === 0 || queued + bytes <= this.maxBytes) return;
    throw new MailboxError(
      'SEND_QUEUE_FULL',
      `${queued} bytes wait for the daemon connection; the limit is ${this.maxBytes}; nothing of this call was sent`,
      { limit: 'mailbox.sendQueueMaxBytes', bound: `${this.maxBytes} bytes`, outcome: 'not-sent' },
    );
  }

  /** One mailbox can use everything that is free, so there is always room for mailboxes whose daemons keep up. */
  #mustHaveShareFor({ bytes }: Entry): void {
    const held = this.#waitingBytes + ENTRY_BYTES * this.#entries.size;
    if (held + bytes + ENTRY_BYTES <= this.budget.free) return;
    throw new MailboxError(
      'SEND_QUEUE_FULL',
      `this mailbox has used its share of the ${this.budget.totalBytes} bytes for the send queues of all mailboxes; nothing of this call was sent`,
      {
        limit: 'mailbox.totalSendQueueMaxBytes',
        bound: `${this.budget.totalBytes} bytes`,
        outcome: 'not-sent',
      },
    );
  }

  /** Bound once. */
  readonly #resume = (): void => {
    this.#resuming = false;
    const session = this.#session;
    if (session === undefined) return;
    this.#blocked = false;
    for (const entry of this.#entries) {
      if (this.#blocked) return;
      this.#remove(entry);
      try {
        if ('group' in entry.request) this.#writeRequest(session, entry.request, entry.onTaken);
        else this.#writeMessage(session, entry.request, entry.onTaken);
      } catch (error) {
        entry.onTaken?.(error as Error);
      }
    }
    this.#idle();
    this.#wakeRoomWaiters();
  };

  #idle(): void {
    const callback = this.#onIdle;
    this.#onIdle = undefined;
    callback?.();
  }

  /** Calls one waiting sender after the other, so that the later ones do not starve the first. */
  readonly #wakeRoomWaiters = (): void => {
    for (const callback of this.#roomWaiters) {
      if (this.#blocked) return;
      this.#roomWaiters.delete(callback);
      callback();
    }
  };
}

function reconnecting(): MailboxError {
  return new MailboxError(
    'RECONNECTING',
    'the connection to the daemon was lost and the sidecar is reconnecting; nothing of this call was sent',
    { outcome: 'not-sent' },
  );
}
