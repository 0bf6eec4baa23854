import type { Session } from '../../spread/session.js';
import { ServiceCounts } from '../counters.js';
import type { OutgoingMessage } from '../mailbox-types.js';
import { ByteBudget } from '../queue/byte-budget.js';
import { MailboxError, type Outcome } from '../sidecar-error.js';

/** Bytes of a frame's header and of one group in it. */
const HEADER_BYTES = 48;
const GROUP_BYTES = 32;
/** What a request that waits costs beside its bytes: its objects. Counts in the bound of all mailboxes together. */
const ENTRY_BYTES = 320;

/** Called once: when the kernel took the bytes, or with the error that kept them from it. */
export type OnTaken = (error?: Error) => void;

/** What the outbox needs of a session. */
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
 * What becomes of messages while there is no session:
 *
 * - reject: they are rejected, with nothing sent
 * - wait: they wait like those that a session has no room for
 */
export type Offline = 'refuse' | 'wait';

/** Takes back a request that waits; false when it is too late. */
export type Cancel = () => boolean;

/**
 * The sending half of a mailbox: one order for everything, whatever calls and streams it comes from. What the
 * session can take goes to it at once. Otherwise it waits here, bounded, where it can still be withdrawn.
 *
 * The session may be lost and another come in its place. What the lost one was given is never given to the other.
 */
export class Outbox {
  /** A set and not an array: first in, first out, and anything can be taken out. */
  readonly #entries = new Set<Entry>();
  readonly #roomWaiters = new Set<() => void>();
  #waitingBytes = 0;
  /** The session has enough, until it says otherwise by onDrain. */
  #blocked = false;
  #resuming = false;
  #messagesSent = 0;
  /** Messages handed to the session, by guarantee. */
  readonly sentByService = new ServiceCounts();
  #payloadBytesSent = 0;
  #onIdle: (() => void) | undefined;
  #session: OutboxSession | undefined;
  #offline: Offline = 'refuse';

  /**
   * @param session the first session
   * @param check rejects a message as the session will, for one that has to wait
   * @param maxBytes most bytes that may wait here and in the session
   * @param budget what may wait here and in the outboxes of all other mailboxes
   */
  constructor(
    session: OutboxSession,
    readonly check: (message: OutgoingMessage) => void,
    readonly maxBytes: number,
    private readonly budget: ByteBudget = new ByteBudget(Number.POSITIVE_INFINITY),
  ) {
    this.#session = session;
  }

  /** Bytes that wait to be taken by the daemon's connection. */
  get queuedBytes(): number {
    return this.#waitingBytes + (this.#session?.bufferedBytes ?? 0);
  }

  /** Messages handed to the session. */
  get messagesSent(): number {
    return this.#messagesSent;
  }

  get payloadBytesSent(): number {
    return this.#payloadBytesSent;
  }

  /** True while a sender had better wait for onRoom. */
  get isFull(): boolean {
    return this.#blocked;
  }

  /**
   * Sends a message, or puts it behind what waits.
   *
   * @returns how to withdraw it, when it has to wait
   * @throws MailboxError SEND_QUEUE_FULL, RECONNECTING, and what the session and `check` throw
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
   * Sends a join or leave, or puts it behind what waits. Without a session there is nothing to do: the next one begins
   * with the groups that the mailbox is to be in then.
   *
   * @throws MailboxError SEND_QUEUE_FULL, and what the session throws
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

  /** Calls back once, when there is room (at once if there is) or nothing can be sent any more. */
  onRoom(callback: () => void): void {
    this.#roomWaiters.add(callback);
    if (!this.#blocked) queueMicrotask(this.#wakeRoomWaiters);
  }

  /** Calls back once, when nothing waits here any more: at once if so, or after fail(). */
  whenIdle(callback: () => void): void {
    if (this.#entries.size === 0) callback();
    else this.#onIdle = callback;
  }

  /** Nothing can be sent any more: whatever waits fails. */
  fail(error: (outcome: Outcome) => Error): void {
    const entries = [...this.#entries];
    for (const entry of entries) this.#remove(entry);
    this.#blocked = false;
    for (const entry of entries) entry.onTaken?.(error('not-sent'));
    this.#idle();
    this.#wakeRoomWaiters();
  }

  /** The session was lost. What it was given it tells about itself; of what waits here, joins and leaves are done. */
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
    // In a later turn: until then the lost session tells what became of what it was given.
    setImmediate(this.#wakeRoomWaiters);
  }

  /** There is a session again, whose first requests are joins of these groups. What waits follows them. */
  restore(session: OutboxSession, groups: readonly string[]): void {
    this.#session = session;
    this.#blocked = false;
    try {
      for (const group of groups) this.#writeRequest(session, { kind: 'join', group }, undefined);
    } catch {
      // It was lost before it began, which it tells in this turn; what waits is not to go down with it.
    }
    if (this.#blocked) return;
    this.#blocked = true;
    this.onDrain();
  }

  /**
   * To be called when the session has room again. What waits continues in the next turn of the event loop: a kernel may
   * take megabytes at once, and whoever only sent them would not read meanwhile, so that the daemon would cut this
   * process's own mailboxes as slow readers.
   */
  onDrain(): void {
    if (this.#resuming) return;
    this.#resuming = true;
    setImmediate(this.#resume);
  }

  /** Nothing waits that would have to go first. */
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
      `${queued} bytes wait for the daemon connection; the limit is ${this.maxBytes}. Nothing of this call was sent`,
      { limit: 'mailbox.sendQueueMaxBytes', bound: `${this.maxBytes} bytes`, outcome: 'not-sent' },
    );
  }

  /** One mailbox may hold as much as is still free, so that there is always room for those whose daemon keeps up. */
  #mustHaveShareFor({ bytes }: Entry): void {
    const held = this.#waitingBytes + ENTRY_BYTES * this.#entries.size;
    if (held + bytes + ENTRY_BYTES <= this.budget.free) return;
    throw new MailboxError(
      'SEND_QUEUE_FULL',
      `the send queues of all mailboxes hold ${this.budget.used} of at most ${this.budget.totalBytes} bytes, and this mailbox holds its share. Nothing of this call was sent`,
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

  /** One after the other, so that the first cannot be overrun by all the others. */
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
