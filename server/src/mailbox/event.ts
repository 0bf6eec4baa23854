import type { Message } from '../spread/wire/index.js';

/** The daemon connection was lost; only for a mailbox that reconnects. */
export interface ConnectionLost {
  readonly kind: 'connectionLost';
  /** The private group that was lost. */
  readonly privateGroup: string;
  /** The groups that the mailbox was in, in the order in which it joined them. */
  readonly groups: readonly string[];
  /** Spread's number for what happened, such as -8. */
  readonly spreadCode: number;
}

/** The daemon connection stands again; only for a mailbox that reconnects. */
export interface ConnectionRestored {
  readonly kind: 'connectionRestored';
  readonly previousPrivateGroup: string;
  readonly privateGroup: string;
  /** The groups that are being joined again, in order. */
  readonly groups: readonly string[];
  /** The daemon, as a spread name. */
  readonly daemon: string;
}

/** One thing that a mailbox received: what the daemon sent, or what happened to its connection. */
export type MailboxEvent = Message | ConnectionLost | ConnectionRestored;

/** A membership view as the daemon sent it. */
export type View = Extract<Message, { kind: 'view' }>;

/** The answer to this mailbox's own leave. */
export type SelfLeave = Extract<Message, { kind: 'selfLeave' }>;

/** A place for one encoded event in memory that belongs to the mailbox's queue. */
export interface EventSpace {
  /** The buffer in which the last reserve() gave a place. Changes with reserve(); read it afterwards. */
  readonly buffer: Buffer;
  /**
   * Reserves exactly `bytes` bytes and returns where in `buffer` they begin. To be called once an event;
   * every reserved byte is to be written (the memory is not cleared).
   */
  reserve(bytes: number): number;
}

/**
 * Writes one event into the space in the form in which it will leave, so that a batch of events is nothing
 * but their bytes side by side (a repeated field: tag, length, event). Runs once an event, when it enters the
 * queue, and must not keep hold of `event`. Handed down by the layer that knows the contract.
 *
 * @param privateGroup the mailbox's private group at this moment, from which a view's own index follows
 */
export type EncodeEvent = (
  space: EventSpace,
  sequence: number,
  receivedAtMs: number,
  event: MailboxEvent,
  privateGroup: string,
) => void;
