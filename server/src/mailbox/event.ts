import type { Message } from '../spread/wire/index.js';

/** The daemon connection was lost. Only for a mailbox that reconnects. */
export interface ConnectionLost {
  readonly kind: 'connectionLost';
  /** The private group that was lost. */
  readonly privateGroup: string;
  /** The groups of the mailbox, in the order of joining. */
  readonly groups: readonly string[];
  /** Spread's error number, such as -8. */
  readonly spreadCode: number;
}

/** The daemon connection was restored. Only for a mailbox that reconnects. */
export interface ConnectionRestored {
  readonly kind: 'connectionRestored';
  readonly previousPrivateGroup: string;
  readonly privateGroup: string;
  /** The groups that the mailbox joins again, in order. */
  readonly groups: readonly string[];
  /** The daemon, as a Spread name. */
  readonly daemon: string;
}

/** One event of a mailbox: a message of the daemon, or a change of its connection. */
export type MailboxEvent = Message | ConnectionLost | ConnectionRestored;

/** A membership view as the daemon sent it. */
export type View = Extract<Message, { kind: 'view' }>;

/** The confirmation of this mailbox's own leave. */
export type SelfLeave = Extract<Message, { kind: 'selfLeave' }>;

/** Space for one encoded event in the memory of the mailbox's queue. */
export interface EventSpace {
  /** The buffer of the last reserve(). Changes with reserve(), so read it afterwards. */
  readonly buffer: Buffer;
  /**
   * Reserves exactly `bytes` bytes and returns their position in `buffer`. Call it once for each event, and write
   * every reserved byte (the memory is not cleared).
   */
  reserve(bytes: number): number;
}

/**
 * Writes one event into the space in its final form, so that a batch of events is the concatenation of their bytes
 * (a repeated field: tag, length, event). Runs once for each event, when it enters the queue, and must not retain
 * `event`. The layer that knows the contract supplies this function.
 *
 * @param privateGroup the mailbox's current private group, which determines a view's own index
 */
export type EncodeEvent = (
  space: EventSpace,
  sequence: number,
  receivedAtMs: number,
  event: MailboxEvent,
  privateGroup: string,
) => void;
