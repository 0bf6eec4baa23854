import type { EncodeEvent, MailboxEvent } from '../event.js';
import type { Acknowledgement } from '../mailbox-types.js';
import { MailboxError } from '../sidecar-error.js';
import { EVENT_OVERHEAD_BYTES, EventLog } from './event-log.js';
import type { Batch } from './receiver.js';

/** Limits of delivered and unacknowledged events. Infinity: none. */
export interface OutstandingLimits {
  readonly events: number;
  readonly bytes: number;
}

export const NO_OUTSTANDING_LIMITS: OutstandingLimits = { events: Infinity, bytes: Infinity };

/**
 * The events of one mailbox between the daemon and its receiver. Four sequences describe the state:
 *
 *   forgotten   the last event that is no longer retained
 *   cursor      the last event that the current receiver got, or chose to skip
 *   delivered   the highest cursor ever
 *   last        the last event received
 *
 * with forgotten <= cursor <= delivered <= last. With EXPLICIT, Acknowledge sets `forgotten`. With AUTO, `forgotten`
 * follows `delivered` at the distance of the replay window.
 */
export class DeliveryQueue {
  readonly #log = new EventLog();
  readonly #acknowledgement: Acknowledgement;
  readonly #encode: EncodeEvent;
  #cursor = 0;
  #cursorBytes = 0;
  #delivered = 0;
  #deliveredBytes = 0;
  /** The event whose time in the queue is measured. 0: none, because the last measured event was delivered. */
  #timedSequence = 0;
  #timedAtMs = 0;

  constructor(acknowledgement: Acknowledgement, encode: EncodeEvent) {
    this.#acknowledgement = acknowledgement;
    this.#encode = encode;
  }

  get lastSequence(): number {
    return this.#log.lastSequence;
  }

  /** The last event that the current receiver got or chose to skip. */
  get cursor(): number {
    return this.#cursor;
  }

  /** The highest delivered sequence. */
  get deliveredSequence(): number {
    return this.#delivered;
  }

  /** EXPLICIT: the last acknowledged event. AUTO: the last one that is no longer retained. 0 if none. */
  get acknowledgedSequence(): number {
    return this.#log.forgottenSequence;
  }

  /** The oldest retained event. One more than the last event when none is retained. */
  get oldestRetained(): number {
    return this.#log.forgottenSequence + 1;
  }

  /** Number of events that no receiver got. */
  get waitingEvents(): number {
    return this.#log.lastSequence - this.#delivered;
  }

  /** Their bytes. */
  get waitingBytes(): number {
    return this.#log.totalBytes - this.#deliveredBytes;
  }

  /** Bytes of all events that were ever queued. */
  get totalBytes(): number {
    return this.#log.totalBytes;
  }

  get retainedBytes(): number {
    return this.#log.retainedBytes;
  }

  /**
   * Number of events that count against the queue's limits: queued events and, with EXPLICIT, also delivered ones
   * without acknowledgement, which have no other limit. AUTO's replay window has a separate limit.
   */
  get loadEvents(): number {
    return this.#log.lastSequence - this.#loadFrom();
  }

  /** The bytes of loadEvents. */
  get loadBytes(): number {
    return this.#acknowledgement === 'EXPLICIT' ? this.#log.retainedBytes : this.waitingBytes;
  }

  /** Memory of loadEvents: their part of the budget of all mailboxes. */
  get loadMemory(): number {
    return this.loadBytes + EVENT_OVERHEAD_BYTES * this.loadEvents;
  }

  /**
   * Encodes an event under the next sequence without appending it. Returns its size. commit() or discard()
   * follows.
   */
  prepare(receivedAtMs: number, event: MailboxEvent, privateGroup: string): number {
    try {
      this.#encode(this.#log, this.#log.lastSequence + 1, receivedAtMs, event, privateGroup);
    } catch (error) {
      this.#log.discard();
      throw error;
    }
    return this.#log.reservedBytes;
  }

  /** Appends the prepared event. */
  commit(): void {
    this.#log.commit();
    if (this.#timedSequence !== 0) return;
    this.#timedSequence = this.#log.lastSequence;
    this.#timedAtMs = performance.now();
  }

  /** Discards the prepared event. */
  discard(): void {
    this.#log.discard();
  }

  /**
   * Sets the cursor: a new receiver starts after this event. Undefined: after the last delivered (AUTO) or
   * acknowledged (EXPLICIT) event. Skipped events count as delivered.
   *
   * @throws MailboxError SEQUENCE_NOT_RETAINED
   */
  seek(after: number | undefined): void {
    const log = this.#log;
    const target = after ?? (this.#acknowledgement === 'AUTO' ? this.#delivered : log.forgottenSequence);
    if (!Number.isInteger(target) || target < log.forgottenSequence || target > log.lastSequence) {
      throw this.#notRetained('after_sequence', target, log.forgottenSequence, log.lastSequence);
    }
    this.#moveCursor(target);
  }

  /** True when take() would return events. */
  mayTake(limits: OutstandingLimits): boolean {
    if (this.#cursor >= this.#log.lastSequence) return false;
    const outstanding = this.#cursor - this.#log.forgottenSequence;
    if (this.#acknowledgement === 'AUTO' || outstanding === 0) return true;
    if (outstanding >= limits.events) return false;
    return this.#outstandingBytes() + this.#sizeOf(this.#cursor + 1) <= limits.bytes;
  }

  /** The next events for the current receiver. See Attachment.take. */
  take(maxBytes: number, limits: OutstandingLimits): Batch | undefined {
    if (!this.mayTake(limits)) return undefined;
    let bytes = maxBytes;
    let events = Infinity;
    if (this.#acknowledgement === 'EXPLICIT') {
      bytes = Math.min(bytes, limits.bytes - this.#outstandingBytes());
      events = limits.events - (this.#cursor - this.#log.forgottenSequence);
      // With nothing outstanding, one event is always delivered, whatever the limits are.
      events = Math.max(events, 1);
    }
    const slice = this.#log.slice(this.#cursor, bytes, events);
    if (slice === undefined) return undefined;
    const firstSequence = this.#cursor + 1;
    const isTimed = this.#timedSequence !== 0 && slice.lastSequence >= this.#timedSequence;
    const queuedAtMs = isTimed ? this.#timedAtMs : undefined;
    this.#moveCursor(slice.lastSequence);
    return { ...slice, firstSequence, queuedAtMs };
  }

  /** AUTO: releases delivered events beyond the newest `replayBytes` bytes. Returns the freed memory. */
  trimReplay(replayBytes: number): number {
    if (this.#acknowledgement !== 'AUTO') return 0;
    if (this.#deliveredBytes - (this.#log.totalBytes - this.#log.retainedBytes) <= replayBytes) return 0;
    // A receiver that resumed further back still needs the events after its cursor.
    return this.#log.forget(Math.min(this.#cursor, this.#log.startOfLast(replayBytes, this.#delivered)));
  }

  /**
   * Releases events up to and including this one. A lower sequence than before has no effect.
   *
   * @returns the freed memory
   * @throws MailboxError SEQUENCE_NOT_RETAINED for an undelivered event
   */
  acknowledge(upTo: number): number {
    if (!Number.isInteger(upTo) || upTo < 0 || upTo > this.#delivered) {
      throw this.#notRetained('up_to_sequence', upTo, 0, this.#delivered);
    }
    if (upTo > this.#cursor) this.#moveCursor(upTo);
    return this.#log.forget(upTo);
  }

  /** Releases all events of a discarded mailbox. Returns the freed memory. */
  clear(): number {
    this.#moveCursor(this.#log.lastSequence);
    return this.#log.clear();
  }

  #loadFrom(): number {
    return this.#acknowledgement === 'EXPLICIT' ? this.#log.forgottenSequence : this.#delivered;
  }

  #moveCursor(sequence: number): void {
    this.#cursor = sequence;
    this.#cursorBytes = this.#log.bytesUpTo(sequence);
    if (sequence > this.#delivered) {
      this.#delivered = sequence;
      this.#deliveredBytes = this.#cursorBytes;
      if (sequence >= this.#timedSequence) this.#timedSequence = 0;
    }
  }

  #outstandingBytes(): number {
    return this.#cursorBytes - (this.#log.totalBytes - this.#log.retainedBytes);
  }

  #sizeOf(sequence: number): number {
    return this.#log.bytesUpTo(sequence) - this.#log.bytesUpTo(sequence - 1);
  }

  #notRetained(field: string, value: number, least: number, most: number): MailboxError {
    return new MailboxError(
      'SEQUENCE_NOT_RETAINED',
      `${field} is ${value}; it must be ${least} to ${most}; the oldest retained event is ${this.oldestRetained}, the last is ${this.lastSequence}`,
      {
        field,
        bound: `${least} to ${most}`,
        oldest_retained_sequence: String(this.oldestRetained),
        last_sequence: String(this.lastSequence),
      },
    );
  }
}
